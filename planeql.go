// Package planeql runs SQL over the REST APIs of cloud control planes.
//
// A SELECT over azure.desktop_virtualization.user_sessions becomes GET requests
// described by provider documents, all pages of them, evaluated in embedded
// DuckDB; DELETE and EXEC become the calls that change things. An answer is
// complete or an error.
//
//	s, err := planeql.Open(ctx, planeql.WithEndpoint("azure", url))
//	rows, err := s.Query(ctx, "SELECT name FROM azure.subscription.subscriptions")
//
// Start reading at [Open] and [Session.Query]. For database/sql see [NewConnector].
package planeql
