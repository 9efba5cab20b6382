"""HJ 212: the data protocol of Chinese pollution monitoring stations, editions of 2005, 2017 and 2025.

Pure code: bytes and values in, bytes and values out; no sockets, no clock.

* ``crc``       the checksum of the standard and the wrong ones met in the field
* ``frame``     from a byte stream to frames and back
* ``segment``   from the data segment of a frame to its fields and back
* ``codes``     system types, commands, flags, result codes
* ``reports``   what a device tells of itself, beside the readings
* ``commands``  the messages of a station and of a platform, built and read
"""
