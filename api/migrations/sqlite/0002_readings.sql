-- One value per device, stream and second: a reading that is sent again replaces itself.
CREATE TABLE readings (
    device    TEXT    NOT NULL,
    stream    TEXT    NOT NULL,
    timestamp INTEGER NOT NULL,
    value     REAL    NOT NULL,
    PRIMARY KEY (device, stream, timestamp)
) STRICT, WITHOUT ROWID;
