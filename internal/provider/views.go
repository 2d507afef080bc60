package provider

import (
	"regexp"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// view gives the statement of a view. Of several, one that is bound to no SQL
// dialect or to the one that is nearest to DuckDB's is taken.
func view(n *openapi.Node) string {
	for ; !n.Missing(); n = n.At("fallback") {
		predicate := n.At("predicate").Text()
		if !strings.Contains(predicate, "sqlDialect") || strings.Contains(predicate, "sqlite3") {
			return unplaced(n.At("ddl").Text())
		}
	}
	return ""
}

// Published views compare each parameter that the caller has to give with a
// text that stands for it: there was no other way to name them. A condition on
// such a column outside the view binds it here, and what nobody gives is found;
// the text would only make the view empty. So would the region of AWS, for whoever
// asks for another.
const stands = `[A-Za-z_."]+\s*=\s*(?:'replace-me'|'<[^'<>]*>')|region\s*=\s*'us-east-1'`

var (
	andStands   = regexp.MustCompile(`(?i)\s+AND\s+(?:` + stands + `)`)
	whereStands = regexp.MustCompile(`(?i)\bWHERE\s+(?:` + stands + `)\s+AND\b`)
	onlyStands  = regexp.MustCompile(`(?i)\s*\bWHERE\s+(?:` + stands + `)`)
)

// unplaced takes such conditions out of a view.
func unplaced(ddl string) string {
	ddl = strings.TrimRight(strings.TrimSpace(ddl), ";")
	ddl = andStands.ReplaceAllString(ddl, "")
	ddl = whereStands.ReplaceAllString(ddl, "WHERE")
	return onlyStands.ReplaceAllString(ddl, "")
}
