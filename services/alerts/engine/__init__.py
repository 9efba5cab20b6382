"""From facts to alarms: follows the streams of readings, evaluates them and writes what they did, exactly once."""
