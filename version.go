package planeql

// Version is the version of planeql. A release sets it.
const Version = "0.1.0-dev"

// DuckDBVersion is the version of DuckDB that is linked in.
const DuckDBVersion = "1.5.5"
