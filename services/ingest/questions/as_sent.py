"""Readings beside what they were when they were sent: before any conversion, and before any correction."""

NOT_SENT = "`as_sent` goes with `resolution=raw`: means were not sent. Leave one of the two out."


def as_sent(readings: str) -> str:
    """The statement of some ``readings``, each with ``sent_unit``, ``sent_value``, ``sent_minimum``, ``sent_maximum``.

    ``readings`` is a statement that gives rows of `observation` from ``:start`` on and before ``:end``, by datastream
    and time. The unit is empty where it is the stored one, and NULL where it is not known any more, as are the values.
    """
    return f"""
        SELECT o.*, CASE WHEN s.unit IS NULL AND o.time >= known.since THEN '' ELSE s.unit END AS sent_unit,
               {_sent("value")}, {_sent("minimum")}, {_sent("maximum")}
        FROM ({readings}) o
        CROSS JOIN as_sent_since known
        LEFT JOIN observation_as_sent s
            ON s.datastream_id = o.datastream_id AND s.time = o.time AND s.time >= :start AND s.time < :end
        LEFT JOIN LATERAL (
            SELECT * FROM correction WHERE datastream_id = o.datastream_id AND time = o.time ORDER BY id LIMIT 1
        ) c ON s.unit IS NULL
        ORDER BY o.datastream_id, o.time
    """  # noqa: S608  (constants)


def _sent(name: str) -> str:
    """Of what was stored as it was sent, the first correction has kept it."""
    return f"""
        CASE WHEN s.unit IS NOT NULL THEN s.{name} WHEN o.time < known.since THEN NULL
             WHEN c.id IS NOT NULL THEN c.before_{name} ELSE o.{name} END AS sent_{name}
    """


def unit_of(sent_unit: str | None, stored_unit: str) -> str | None:
    """The unit that such a row tells."""
    return stored_unit if sent_unit == "" else sent_unit
