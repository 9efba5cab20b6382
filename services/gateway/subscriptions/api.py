"""`/subscriptions`: made, looked at, changed, tried and set back by whoever may read what they tell."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request

from services.gateway.admission import admission
from services.gateway.auth import Principal
from services.gateway.events.event import Kind
from services.gateway.routing import API
from services.gateway.scopes import ALL_PARKS, Scope
from services.gateway.state import gateway_of
from services.gateway.subscriptions.addresses import AddressNotAllowed, check_url
from services.gateway.subscriptions.log_store import KEEP, revive
from services.gateway.subscriptions.mail import BETWEEN
from services.gateway.subscriptions.rows import Onlooker
from services.gateway.subscriptions.schemas import (
    KINDS,
    ChangedSubscription,
    CreatedSubscription,
    DeadLetterItem,
    DeadLetterPage,
    Delivery,
    EmailDelivery,
    NewSecret,
    NewSubscription,
    Revival,
    Revived,
    RobotDelivery,
    Rotation,
    SetBack,
    SubscriptionItem,
    SubscriptionPage,
    Tried,
    created,
)
from services.gateway.subscriptions.store import MOST_OF_ONE, Shown
from services.gateway.subscriptions.subscription import Channel, LoggedEvent, Secret, Standing, Subscription
from services.gateway.subscriptions.webhooks import new_secret
from services.gateway.tenancy import require_park
from shared import cursors
from shared.problems import BadRequest, Conflict, Forbidden, NotFound, Unprocessable, responses
from shared.time import from_microseconds, to_microseconds, utc_now

router = APIRouter(prefix=f"{API}/subscriptions", tags=["subscriptions"])
Reader = Annotated[Principal, Depends(admission(Scope.SUBSCRIPTIONS_READ))]
Writer = Annotated[Principal, Depends(admission(Scope.SUBSCRIPTIONS_WRITE))]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]
_READ = {"x-fenceline-scope": Scope.SUBSCRIPTIONS_READ}
_WRITE = {"x-fenceline-scope": Scope.SUBSCRIPTIONS_WRITE}
MOST_SECRETS = 4


@router.get("", openapi_extra=_READ, responses=responses(BadRequest))
async def list_subscriptions(
    request: Request, who: Reader, limit: Limit = 100, cursor: Cursor = None
) -> SubscriptionPage:
    """The subscriptions of one's organisation that are about parks that one sees, oldest first."""
    after = cursors.read(cursor, _place) if cursor else None
    found = await gateway_of(request).subscriptions.store.page(_onlooker(who), after, limit + 1)
    items = [_item(who, shown) for shown in found[:limit]]
    following = cursors.write(to_microseconds(items[-1].created_at), items[-1].id) if len(found) > limit else None
    return SubscriptionPage(items=items, next=following)


@router.post("", status_code=201, openapi_extra=_WRITE, responses=responses(Conflict))
async def create_subscription(request: Request, who: Writer, body: NewSubscription) -> CreatedSubscription:
    """Subscribe to what happens from now on. The secret of a webhook is shown in this answer alone."""
    subscriptions, now = gateway_of(request).subscriptions, utc_now()
    channel = body.delivery.channel
    secret = new_secret() if channel is Channel.WEBHOOK else None
    subscription = Subscription(
        id=uuid4(),
        name=body.name,
        organisation_id=who.organisation_id,
        created_by=who.name,
        created_at=now,
        parks=_parks(who, body.parks),
        kinds=_kinds(who, _of_channel(channel, body.kinds)),
        least=body.least_colour,
        channel=channel,
        target=_target(request, body.delivery),
        language=body.language,
        secrets=(Secret(secret),) if secret else _secrets(body.delivery),
        standing=Standing(0, now, now),
    )
    most = await subscriptions.store.create(subscription)
    if most is not None:
        whose = "The organisation has" if most == MOST_OF_ONE else "There are"
        raise Conflict(f"{whose} {most} subscriptions already; remove one that is not needed.")
    return created(await _one(request, who, subscription.id), secret)


@router.get("/{subscription_id}", openapi_extra=_READ)
async def one_subscription(subscription_id: UUID, request: Request, who: Reader) -> SubscriptionItem:
    """A subscription, and whether its messages arrive."""
    return _item(who, await _one(request, who, subscription_id))


@router.patch("/{subscription_id}", openapi_extra=_WRITE, responses=responses(Conflict))
async def change_subscription(
    subscription_id: UUID, request: Request, who: Writer, body: ChangedSubscription
) -> SubscriptionItem:
    """Change a subscription, switch it off, or on again: it then goes on where it was."""

    def changed(one: Subscription) -> Subscription:
        if body.delivery is not None and body.delivery.channel is not one.channel:
            raise Conflict(f"The subscription is a {one.channel}; make another one for the channel.")
        least = one.least if body.least_colour is None else None if body.least_colour == "any" else body.least_colour
        return replace(
            one,
            name=body.name or one.name,
            parks=_parks(who, body.parks) if body.parks else one.parks,
            kinds=_kinds(who, _of_channel(one.channel, body.kinds)) if body.kinds else one.kinds,
            least=least,
            language=body.language or one.language,
            target=_target(request, body.delivery) if body.delivery else one.target,
            secrets=_secrets(body.delivery) if isinstance(body.delivery, RobotDelivery) else one.secrets,
        )

    await _change(request, who, subscription_id, changed, utc_now(), enabled=body.enabled)
    return await _changed(request, who, subscription_id)


@router.delete("/{subscription_id}", status_code=204, openapi_extra=_WRITE)
async def delete_subscription(subscription_id: UUID, request: Request, who: Writer) -> None:
    """Tell no more; its dead letters go with it."""
    await _one(request, who, subscription_id)
    await gateway_of(request).subscriptions.store.delete(subscription_id)


@router.post("/{subscription_id}/test", openapi_extra=_WRITE)
async def send_test(subscription_id: UUID, request: Request, who: Writer) -> Tried:
    """Send a test message now, beside what waits, and say what became of it."""
    shown, now = await _managed(request, who, subscription_id), utc_now()
    park_id = min(shown.subscription.parks)
    event = LoggedEvent(0, f"test-{uuid4()}", 0, Kind.ALARM, park_id, '{"test":true}', now, is_test=True)
    outcome = await gateway_of(request).subscriptions.attempt(shown.subscription, [event], now)
    return Tried(delivered=outcome.delivered, status=outcome.status, error=outcome.error)


@router.post("/{subscription_id}/secret", openapi_extra=_WRITE, responses=responses(Conflict))
async def rotate_secret(subscription_id: UUID, request: Request, who: Writer, body: Rotation) -> NewSecret:
    """Sign with a new secret, and for a while with the one before too: receivers can change without a loss."""
    now = utc_now()
    until, fresh = now + timedelta(hours=body.overlap_hours), new_secret()

    def rotated(one: Subscription) -> Subscription:
        if one.channel is not Channel.WEBHOOK:
            raise Conflict(f"Messages of a {one.channel} are not signed with a secret of ours.")
        older = [replace(old, until=min(until, old.until or until)) for old in one.secrets if old.is_good(now)]
        return replace(one, secrets=(Secret(fresh), *older)[:MOST_SECRETS])

    await _change(request, who, subscription_id, rotated, now)
    return NewSecret(secret=fresh, both_until=until)


@router.post("/{subscription_id}/replay", openapi_extra=_WRITE)
async def replay(subscription_id: UUID, request: Request, who: Writer, body: SetBack) -> SubscriptionItem:
    """Tell again all that was recorded since a moment, in order, with the ids that it had."""
    await _managed(request, who, subscription_id)
    now = utc_now()
    if body.since < now - KEEP:
        raise Unprocessable(f"since: the log goes back {KEEP.days} days, to {(now - KEEP):%Y-%m-%dT%H:%MZ}.")
    await gateway_of(request).subscriptions.store.set_back(subscription_id, body.since, now)
    return await _changed(request, who, subscription_id)


@router.get("/{subscription_id}/dead-letters", openapi_extra=_READ, responses=responses(BadRequest))
async def dead_letters(
    subscription_id: UUID, request: Request, who: Reader, limit: Limit = 100, cursor: Cursor = None
) -> DeadLetterPage:
    """What was given up, oldest first, as far as the key may read it; kept for 30 days."""
    await _managed(request, who, subscription_id)
    after = cursors.read(cursor, lambda parts: cursors.count(parts[0])) if cursor else 0
    found = await gateway_of(request).subscriptions.store.dead_letters(
        subscription_id, _onlooker(who), after, limit + 1
    )
    items = [DeadLetterItem.of(letter) for letter in found[:limit]]
    return DeadLetterPage(items=items, next=cursors.write(items[-1].seq) if len(found) > limit else None)


@router.post("/{subscription_id}/dead-letters/replay", openapi_extra=_WRITE, responses=responses(Conflict))
async def replay_dead_letters(subscription_id: UUID, request: Request, who: Writer, body: Revival) -> Revived:
    """Send dead letters again, after what waits already."""
    if (await _managed(request, who, subscription_id)).subscription.channel is Channel.ALERTMANAGER:
        raise Conflict(
            "An Alertmanager would take an old alarm for one of now. Set the subscription back instead, and all since"
            f" then is told in order: POST {API}/subscriptions/{subscription_id}/replay."
        )
    subscriptions, now = gateway_of(request).subscriptions, utc_now()
    count = await revive(subscriptions.engine, subscription_id, _onlooker(who), body.seqs, now)
    await subscriptions.store.resume(subscription_id, now)
    subscriptions.wake()
    return Revived(count=count)


def _place(parts: list[str]) -> tuple[datetime, UUID]:
    made, id_ = parts
    return from_microseconds(cursors.count(made)), UUID(id_)


def _onlooker(who: Principal) -> Onlooker:
    return Onlooker(who.organisation_id, who.parks, _readable(who))


def _item(who: Principal, shown: Shown) -> SubscriptionItem:
    return SubscriptionItem.of(shown, whole=who.may(Scope.SUBSCRIPTIONS_WRITE))


async def _one(request: Request, who: Principal, id_: UUID) -> Shown:
    shown = await gateway_of(request).subscriptions.store.one(id_, _onlooker(who))
    if shown is None:
        raise _none(id_)
    return shown


def _none(id_: UUID) -> NotFound:
    return NotFound(f"There is no subscription {id_} that this key may see.")


async def _managed(request: Request, who: Principal, id_: UUID) -> Shown:
    """The subscription, for who may read all that it tells: they could have it told to themselves."""
    shown = await _one(request, who, id_)
    _kinds(who, sorted(shown.subscription.kinds))
    return shown


async def _change(
    request: Request,
    who: Principal,
    id_: UUID,
    alter: Callable[[Subscription], Subscription],
    now: datetime,
    *,
    enabled: bool | None = None,
) -> None:
    def managed(one: Subscription) -> Subscription:
        _kinds(who, sorted(one.kinds))
        return alter(one)

    if not await gateway_of(request).subscriptions.store.change(id_, _onlooker(who), managed, now, enabled=enabled):
        raise _none(id_)


async def _changed(request: Request, who: Principal, id_: UUID) -> SubscriptionItem:
    gateway_of(request).subscriptions.wake()
    return _item(who, await _one(request, who, id_))


def _parks(who: Principal, asked: list[str]) -> frozenset[str]:
    if ALL_PARKS in asked:
        if ALL_PARKS not in who.parks:
            raise Forbidden("This is about all parks at once, and the key is for some.", parks=sorted(who.parks))
        return frozenset((ALL_PARKS,))
    for park_id in sorted(set(asked)):
        require_park(who, park_id)
    return frozenset(asked)


def _readable(who: Principal) -> frozenset[Kind]:
    return frozenset(kind for kind in KINDS if who.may(kind.required()))


def _kinds(who: Principal, asked: list[Kind] | None) -> frozenset[Kind]:
    allowed = _readable(who)
    lacking = sorted({kind.required() for kind in frozenset(asked or KINDS) - allowed})
    if lacking and (asked is not None or not allowed):
        raise Forbidden(f"This key does not have the scope '{lacking[0]}'.", scopes=sorted(who.scopes))
    return frozenset(asked) if asked is not None else allowed


def _of_channel(channel: Channel, asked: list[Kind] | None) -> list[Kind] | None:
    if channel is not Channel.ALERTMANAGER:
        return asked
    if asked is not None and set(asked) != {Kind.ALARM}:
        raise Unprocessable("kinds: an Alertmanager is told of alarms alone.")
    return [Kind.ALARM]


def _secrets(delivery: Delivery) -> tuple[Secret, ...]:
    secret = delivery.secret if isinstance(delivery, RobotDelivery) else None
    if secret is not None and delivery.channel is Channel.WECOM:
        raise Unprocessable("delivery/secret: robots of WeCom do not sign; leave it out.")
    return (Secret(secret),) if secret else ()


def _target(request: Request, delivery: Delivery) -> str:
    sender = gateway_of(request).subscriptions.sender
    if isinstance(delivery, EmailDelivery):
        if sender.mailer.server is None:
            raise Unprocessable("delivery/channel: this gateway has no mail server (FENCELINE_GATEWAY_SMTP_HOST).")
        return BETWEEN.join(dict.fromkeys(delivery.to))
    try:
        check_url(delivery.url, sender.http.networks)
    except AddressNotAllowed as error:
        raise Unprocessable(f"delivery/url: {error}.") from error
    return delivery.url
