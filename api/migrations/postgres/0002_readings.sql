-- One value per device, stream and second: a reading that is sent again replaces itself. The "C" collation sorts pages
-- as SQLite does.
CREATE TABLE readings (
    device    TEXT COLLATE "C" NOT NULL,
    stream    TEXT COLLATE "C" NOT NULL,
    timestamp BIGINT           NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (device, stream, timestamp)
);
