// Package syntax turns the user's text into statements: it splits a script,
// fills placeholders, reads the heads of the statements that DuckDB does not
// know (EXEC, DELETE on a resource, SHOW, DESCRIBE, EXPLAIN, USE), and rewrites
// the few spellings that DuckDB does not take. SELECT itself is parsed by
// DuckDB, whose tree this package wraps as [Node] with one [Walk].
//
// Every rewriting goes through [Edited], which keeps the way back to the user's
// own text, so that an error found five steps later still points where the
// user typed. The package knows no provider and no catalog.
//
// Start reading at [Parse]; the hard part is the dialect's EXEC form in exec.go.
package syntax
