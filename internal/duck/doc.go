// Package duck is all that touches DuckDB: it opens a database, parses SELECTs
// into trees, runs SQL and streams typed rows, and feeds rows of raw JSON into
// DuckDB through a table function that reads from a [Source].
//
// It knows nothing of providers, plans or HTTP. Values come out as plain Go
// values and errors as faults with DuckDB's own words. Start reading at [Open],
// [DB.Query] and [DB.RegisterScan]; the hard part, streaming through DuckDB's C
// interface, is in rows.go.
//
// The contract of the scan function: a scan is bound as often as DuckDB likes
// and started at most once. A second start is an internal error, since each
// reader would get a part of the rows. Next of the source is called by one
// goroutine at a time, the first time when DuckDB starts the scan; an error it
// returns ends the query and is the error of the rows, unchanged. Closing the
// rows cancels the context of a Next that waits.
package duck
