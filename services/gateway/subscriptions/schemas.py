"""What the API of subscriptions takes and gives."""

from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.gateway.events.event import Kind
from services.gateway.subscriptions.store import MOST_COUNTED, DeadLetter, Shown
from services.gateway.subscriptions.subscription import Channel, Language, Subscription
from services.gateway.tenancy import PARK_ID
from shared.levels import Colour
from shared.time import UtcDatetime

KINDS = tuple(kind for kind in Kind if kind is not Kind.OBSERVATION)
"""What can be subscribed to; values are asked for."""
ParkName = Annotated[str, StringConstraints(pattern=rf"^(\*|{PARK_ID.pattern})$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Address = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")
]
Url = Annotated[str, Field(min_length=8, max_length=2000, examples=["https://example.org/fenceline"])]
Kinds = Annotated[list[Literal[*KINDS]], Field(min_length=1, max_length=len(KINDS))]  # type: ignore[valid-type]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookDelivery(_Strict):
    """A POST for each event, signed as Standard Webhooks say."""

    channel: Literal[Channel.WEBHOOK]
    url: Url


class EmailDelivery(_Strict):
    """E-mail, at most one a minute, with all that came meanwhile."""

    channel: Literal[Channel.EMAIL]
    to: list[Address] = Field(min_length=1, max_length=20)


class RobotDelivery(_Strict):
    """Text in a chat group; its address, as the group's settings show it, is a secret and not shown again."""

    channel: Literal[Channel.WECOM, Channel.DINGTALK, Channel.FEISHU]
    url: Url
    secret: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=200)] | None = Field(
        default=None, description="what it signs with (DingTalk, Feishu), if that is on"
    )


class AlertmanagerDelivery(_Strict):
    """Alarms as alerts; `url` is the Alertmanager's, without `/api/v2/alerts`."""

    channel: Literal[Channel.ALERTMANAGER]
    url: Url


Delivery = Annotated[
    WebhookDelivery | EmailDelivery | RobotDelivery | AlertmanagerDelivery, Field(discriminator="channel")
]


class NewSubscription(_Strict):
    """Who is to be told what, by which way."""

    name: Name
    parks: list[ParkName] = Field(min_length=1, max_length=200, description="`*`: all, for a key that sees all")
    kinds: Kinds | None = Field(default=None, description="default: all that the key may read")
    least_colour: Colour | None = Field(default=None, description="only what reached this level, and what has none")
    language: Language = Language.BOTH
    delivery: Delivery


class ChangedSubscription(_Strict):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    parks: list[ParkName] | None = Field(default=None, min_length=1, max_length=200)
    kinds: Kinds | None = None
    least_colour: Colour | Literal["any"] | None = Field(default=None, description="`any`: no level asked for")
    language: Language | None = None
    delivery: Delivery | None = Field(default=None, description="another address, of the same channel")
    enabled: bool | None = Field(default=None, description="while it is false nothing is sent; the log keeps 14 days")


class ShownDelivery(BaseModel):
    """Where messages go, without what is secret in it."""

    channel: Channel
    target: str


class Health(BaseModel):
    """Whether messages arrive."""

    backlog: int = Field(description=f"events that wait; {MOST_COUNTED + 1}: more than {MOST_COUNTED}")
    oldest_waiting_at: UtcDatetime | None
    dead_letters: int
    attempts: int = Field(description="of the next event, so far")
    failing_since: UtcDatetime | None
    last_error: str | None
    next_attempt_at: UtcDatetime
    last_sent_at: UtcDatetime | None


class SubscriptionItem(BaseModel):
    """A subscription and how it stands."""

    id: UUID
    name: str
    organisation_id: str | None
    created_by: str
    created_at: UtcDatetime
    parks: list[str]
    kinds: list[Kind]
    least_colour: Colour | None
    language: Language
    delivery: ShownDelivery
    enabled: bool
    disabled_reason: str | None
    health: Health

    @classmethod
    def of(cls, shown: Shown, *, whole: bool) -> "SubscriptionItem":
        """As it stands in the store; the target is `whole` for those who may change it."""
        return cls(**_fields(shown, whole=whole))


class CreatedSubscription(SubscriptionItem):
    """A new subscription, with what its messages are signed with."""

    secret: str | None = Field(description="shown this once; null for a channel that we do not sign for")


class SubscriptionPage(BaseModel):
    """Subscriptions, oldest first."""

    items: list[SubscriptionItem]
    next: str | None


class NewSecret(BaseModel):
    """What messages are signed with from now on, beside the one before until then."""

    secret: str = Field(description="shown this once")
    both_until: UtcDatetime


class Rotation(_Strict):
    """How long both secrets sign."""

    overlap_hours: float = Field(default=24.0, ge=0, le=24 * 30)


class Tried(BaseModel):
    """What became of a test message."""

    delivered: bool
    status: int | None = Field(description="what the receiver answered over HTTP")
    error: str | None


class SetBack(_Strict):
    """From when on to tell again."""

    since: UtcDatetime


class Revival(_Strict):
    """Which dead letters to send again."""

    seqs: list[Annotated[int, Field(ge=1, lt=2**63)]] | None = Field(
        default=None, min_length=1, max_length=1000, description="default: all, at most 10,000 at once"
    )


class Revived(BaseModel):
    """How many are sent again, in their order, after what waits."""

    count: int


class DeadLetterItem(BaseModel):
    """An event that was given up."""

    seq: int
    event_id: str
    type: str
    park_id: str
    data: dict[str, object]
    recorded_at: UtcDatetime
    died_at: UtcDatetime
    error: str

    @classmethod
    def of(cls, letter: DeadLetter) -> "DeadLetterItem":
        """As it stands in the store."""
        event = letter.event
        return cls(
            seq=event.seq,
            event_id=event.id,
            type=event.type,
            park_id=event.park_id,
            data=event.body,
            recorded_at=event.at,
            died_at=letter.died_at,
            error=letter.error,
        )


class DeadLetterPage(BaseModel):
    """Dead letters, oldest first."""

    items: list[DeadLetterItem]
    next: str | None


def shown_target(subscription: Subscription, *, whole: bool) -> str:
    """The target without what may be a secret: the query of a URL; the path of a robot's, and unless `whole` of all."""
    if subscription.channel is Channel.EMAIL:
        return subscription.target
    parts = urlsplit(subscription.target)
    if subscription.channel.is_robot or not whole:
        return f"{parts.scheme}://{parts.netloc}/..."
    hidden = "?..." if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{hidden}"


def _fields(shown: Shown, *, whole: bool) -> dict[str, object]:
    one, standing = shown.subscription, shown.subscription.standing
    return {
        "id": one.id,
        "name": one.name,
        "organisation_id": one.organisation_id,
        "created_by": one.created_by,
        "created_at": one.created_at,
        "parks": sorted(one.parks),
        "kinds": sorted(one.kinds),
        "least_colour": one.least,
        "language": one.language,
        "delivery": {"channel": one.channel, "target": shown_target(one, whole=whole)},
        "enabled": standing.enabled,
        "disabled_reason": standing.disabled_reason,
        "health": {
            "backlog": shown.backlog,
            "oldest_waiting_at": shown.oldest_waiting_at,
            "dead_letters": shown.dead_letters,
            "attempts": standing.attempts,
            "failing_since": standing.failing_since,
            "last_error": standing.last_error,
            "next_attempt_at": standing.next_attempt_at,
            "last_sent_at": standing.last_sent_at,
        },
    }


def created(shown: Shown, secret: str | None) -> CreatedSubscription:
    """The answer to who made it."""
    return CreatedSubscription(**_fields(shown, whole=True), secret=secret)
