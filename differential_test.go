package planeql_test

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// The same statement over the same items must give the same rows, whether
// planeql reads them from the service or DuckDB from a table. Statements are
// generated; a column in them is written ‹name› and takes one of the spellings
// that planeql knows on the one side, the table's name on the other.

var seed = flag.Uint64("differential.seed", 20240403, "seed of the generated statements")

const (
	pooled   = "/subscriptions/" + armsim.ProductionSubscription + "/resourceGroups/rg-avd-prod-weu/providers/Microsoft.DesktopVirtualization/hostPools/hp-office"
	resource = "azure.desktop_virtualization.user_sessions"
	pool     = "subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office'"
)

// plainSettings are those of the DuckDB that planeql is compared with. The
// optimizer switched off gives a row of NULLs for the first row of no rows.
const plainSettings = "SET TimeZone = 'UTC'; SET disabled_optimizers = 'top_n_window_elimination'"

// pair is both sides of a differential test.
type pair struct {
	session *planeql.Session
	sim     *armsim.Simulator
	plain   *sql.DB
	rand    *rand.Rand
	items   []map[string]any // as the table has them
}

// oddSessions are items as services send them on bad days: members null,
// missing, of another type or in another case.
var oddSessions = map[string]string{
	"OFFICE-1.CONTOSO.COM/userSessions/90": `{"properties": {"sessionState": "active", "userPrincipalName": "o'brien@contoso.com", "createTime": "2026-11-21T10:00:00.1234567Z", "applicationType": "Desktop"}}`,
	"office-1.contoso.com/userSessions/91": `{"properties": {"sessionState": null}, "systemData": {"createdBy": "somebody"}}`,
	"Office-2.contoso.com/userSessions/92": `{"properties": {"createTime": "never", "userPrincipalName": "", "activeDirectoryUserName": "CONTOSO\\żółw", "applicationType": "remoteapp", "sessionState": "Unknown"}}`,
	"office-2.contoso.com/userSessions/93": `{"properties": null}`,
	"office-3.contoso.com/userSessions/94": `{"properties": {"createTime": "2026-11-21T12:00:00+02:00", "userPrincipalName": "a_b%c@contoso.com", "sessionState": 5, "extra": {"deep": [1, 2]}}}`,
}

// newPair starts both sides.
func newPair(t *testing.T) *pair {
	t.Helper()
	sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithPageSize(20))
	for id, text := range oddSessions {
		if err := sim.Put(pooled+"/sessionHosts/"+id, json.RawMessage(text)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d (-differential.seed)", *seed)
	p := &pair{session: open(t, url, planeql.WithoutCache(), planeql.WithFirstRows()), sim: sim, rand: rand.New(rand.NewPCG(*seed, 0))}
	for _, row := range must(t, p.session, "SELECT _raw FROM "+resource+" WHERE "+pool) {
		p.items = append(p.items, tableRow(t, row[0].(json.RawMessage)))
	}
	if len(p.items) < 55 {
		t.Fatalf("the pool has %d sessions", len(p.items))
	}
	p.plain = plainTable(t, p.items)
	return p
}

// tableColumns are the columns of the table, with types that follow from the
// service's contract: names and ids are compared without case.
var tableColumns = [][2]string{
	{"id", "VARCHAR COLLATE NOCASE"}, {"name", "VARCHAR"}, {"properties", "JSON"}, {"systemData", "JSON"}, {"type", "VARCHAR"},
	{"subscriptionId", "VARCHAR COLLATE NOCASE"}, {"resourceGroupName", "VARCHAR COLLATE NOCASE"}, {"hostPoolName", "VARCHAR COLLATE NOCASE"},
	{"sessionHostName", "VARCHAR COLLATE NOCASE"}, {"userSessionId", "VARCHAR COLLATE NOCASE"},
	{"activeDirectoryUserName", "VARCHAR"}, {"applicationType", "VARCHAR"}, {"createTime", "TIMESTAMPTZ"},
	{"sessionState", "VARCHAR"}, {"userPrincipalName", "VARCHAR"}, {"objectId", "VARCHAR"}, {"_raw", "JSON"},
}

// tableRow gives the columns of an item, read by encoding/json.
func tableRow(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var item struct {
		ID, Name, Type         string
		Properties, SystemData json.RawMessage
	}
	if err := json.Unmarshal(raw, &item); err != nil {
		t.Fatal(err)
	}
	row := map[string]any{"id": item.ID, "name": item.Name, "type": item.Type, "_raw": string(raw)}
	for name, value := range map[string]json.RawMessage{"properties": item.Properties, "systemData": item.SystemData} {
		if len(value) > 0 && string(value) != "null" {
			row[name] = string(value)
		}
	}
	parts := strings.Split(item.ID, "/")
	for name, at := range map[string]int{"subscriptionId": 2, "resourceGroupName": 4, "hostPoolName": 8, "sessionHostName": 10, "userSessionId": 12} {
		row[name] = parts[at]
	}
	var members map[string]any
	if err := json.Unmarshal(item.Properties, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		if value != nil {
			row[name] = fmt.Sprint(value)
		}
	}
	if created, err := time.Parse(time.RFC3339Nano, fmt.Sprint(row["createTime"])); err == nil {
		row["createTime"] = created.UTC().Truncate(time.Microsecond)
	} else {
		delete(row, "createTime")
	}
	return row
}

// plainTable makes the table sessions in a DuckDB of its own.
func plainTable(t *testing.T, items []map[string]any) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	var columns, marks []string
	for _, c := range tableColumns {
		columns, marks = append(columns, `"`+c[0]+`" `+c[1]), append(marks, "?")
	}
	run := func(text string, args ...any) {
		if _, err := db.Exec(text, args...); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	run(plainSettings)
	run("CREATE TABLE sessions (" + strings.Join(columns, ", ") + ")")
	for _, item := range items {
		var args []any
		for _, c := range tableColumns {
			args = append(args, item[c[0]])
		}
		run("INSERT INTO sessions VALUES ("+strings.Join(marks, ", ")+")", args...)
	}
	return db
}

// shape is a statement with ‹columns›. Where planeql promises more than a
// table of DuckDB does, plain is written in another way; else it is empty.
type shape struct{ text, plain string }

var marker = regexp.MustCompile(`‹(\w+)(?:\.(\w+))?›`)

// forPlain gives the statement over the table.
func (s shape) forPlain() string {
	text := s.plain
	if text == "" {
		text = s.text
	}
	text = marker.ReplaceAllStringFunc(text, func(m string) string {
		parts := marker.FindStringSubmatch(m)
		if parts[2] != "" {
			return parts[1] + `."` + parts[2] + `"`
		}
		return `"` + parts[1] + `"`
	})
	return strings.ReplaceAll(text, "@R", "sessions")
}

// spelled gives the statement over the resource, each column in one of its
// spellings.
func (p *pair) spelled(s shape) string {
	text := marker.ReplaceAllStringFunc(s.text, func(m string) string {
		parts := marker.FindStringSubmatch(m)
		if parts[2] != "" {
			return parts[1] + "." + p.spelling(parts[2])
		}
		return p.spelling(parts[1])
	})
	return strings.ReplaceAll(text, "@R", resource)
}

var members = []string{"activeDirectoryUserName", "applicationType", "createTime", "sessionState", "userPrincipalName", "objectId"}

// spelling gives a name as a user may write it.
func (p *pair) spelling(name string) string {
	switch p.rand.IntN(6) {
	case 0:
		return snake(name)
	case 1:
		return strings.ToUpper(name)
	case 2:
		return `"` + name + `"`
	case 3:
		if slices.Contains(members, name) {
			return "properties." + name
		}
	}
	return name
}

func snake(name string) string {
	return strings.ToLower(regexp.MustCompile("([a-z])([A-Z])").ReplaceAllString(name, "${1}_$2"))
}

// plainRows gives the rows of DuckDB alone.
func (p *pair) plainRows(text string, args ...any) ([]string, error) {
	rows, err := p.plain.Query(text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []string
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		all = append(all, line(values))
	}
	return all, rows.Err()
}

// line gives a row as a text that both sides write alike.
func line(values []any) string {
	var parts []string
	for _, v := range values {
		if at, isTime := v.(time.Time); isTime {
			v = at.UTC().Format(time.RFC3339Nano)
		}
		parts = append(parts, fmt.Sprint(v))
	}
	return strings.Join(parts, " | ")
}

// check runs a shape on both sides. Rows are compared in order where the
// statement ends with a total order.
func (p *pair) check(t *testing.T, s shape, ordered bool) {
	t.Helper()
	text := p.spelled(s)
	want, wantErr := p.plainRows(s.forPlain())
	rows, err := query(t, p.session, text)
	if wantErr != nil {
		if err == nil {
			t.Errorf("%s\ngives rows, DuckDB says %v\nfor %s", text, wantErr, s.forPlain())
		}
		return
	}
	if err != nil {
		t.Errorf("%s\n%s\nDuckDB gives %d rows for %s", text, printed(err), len(want), s.forPlain())
		return
	}
	p.compare(t, text+" /* for "+s.forPlain()+" */", rows, want, ordered)
}

// compare compares rows with those of DuckDB.
func (p *pair) compare(t *testing.T, text string, rows [][]any, want []string, ordered bool) {
	t.Helper()
	var got []string
	for _, r := range rows {
		got = append(got, line(r))
	}
	if !ordered {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\ngives %d rows, DuckDB %d\nonly here: %.300v\nonly there: %.300v", text, len(got), len(want),
			without(got, want), without(want, got))
	}
}

// without gives the rows of a that b does not have.
func without(a, b []string) []string {
	left := slices.Clone(b)
	var rest []string
	for _, row := range a {
		if i := slices.Index(left, row); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			rest = append(rest, row)
		}
	}
	return rest
}

// Every condition keeps the rows that it keeps of a table.
func TestDifferential_where(t *testing.T) {
	p := newPair(t)
	statements := 450
	if testing.Short() {
		statements = 60
	}
	for range statements {
		condition, plain := p.condition(3)
		bound := p.bound()
		where, plainWhere := bound+" AND "+condition, bound+" AND "+plain
		if p.rand.IntN(3) == 0 {
			where, plainWhere = condition+" AND "+bound, plain+" AND "+bound
		}
		const list = "SELECT lower(‹id›), ‹name›, ‹sessionState›, ‹createTime›, ‹properties›::VARCHAR FROM @R WHERE "
		p.check(t, shape{list + where, list + plainWhere}, false)
	}
}

// bound gives a condition that binds the pool, in one of its forms.
func (p *pair) bound() string {
	const sub, group = armsim.ProductionSubscription, "rg-avd-prod-weu"
	return p.one(
		"‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› = '"+group+"' AND ‹hostPoolName› = 'hp-office'",
		"'HP-OFFICE' = ‹hostPoolName› AND '"+group+"' = ‹resourceGroupName› AND '"+strings.ToUpper(sub)+"' = ‹subscriptionId›",
		"‹hostPoolName› IN ('hp-office', 'HP-Office', 'hp-office') AND (‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› = 'RG-avd-prod-weu')",
		"(‹hostPoolName› = 'hp-office' OR ‹hostPoolName› = 'hp-OFFICE') AND ‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› IN ('"+group+"')",
		"‹hostPoolName› = lower('HP-OFFICE') AND ‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› = concat('rg-avd', '-prod-weu')",
		"‹hostPoolName› = 'hp-office' AND ‹hostPoolName› = 'HP-OFFICE' AND ‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› = '"+group+"' AND true",
		"((‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› = '"+group+"' AND ‹hostPoolName› = 'hp-office') OR"+
			" (‹hostPoolName› = 'HP-office' AND ‹subscriptionId› = '"+sub+"' AND ‹resourceGroupName› = '"+group+"'))",
	)
}

func (p *pair) one(texts ...string) string { return texts[p.rand.IntN(len(texts))] }

// condition gives a condition of some depth, and its form for a table.
func (p *pair) condition(depth int) (text, plain string) {
	if depth == 0 || p.rand.IntN(4) == 0 {
		return p.comparison()
	}
	left, plainLeft := p.condition(depth - 1)
	right, plainRight := p.condition(depth - 1)
	form := p.one("(%s AND %s)", "(%s OR %s)", "(%s OR NOT %s)", "(NOT (%s) AND %s)", "CASE WHEN %s THEN %s ELSE false END",
		"(%s IS TRUE OR %s)", "(%s) IS DISTINCT FROM (%s)", "coalesce(%s, %s)", "if(%s, true, %s)", "((%s) = (%s))", "(%s AND %s)", "(%s OR %s)")
	return fmt.Sprintf(form, left, right), fmt.Sprintf(form, plainLeft, plainRight)
}

// comparison gives one comparison.
func (p *pair) comparison() (text, plain string) {
	if p.rand.IntN(8) == 0 {
		return p.rowComparison()
	}
	if p.rand.IntN(5) == 0 {
		text = p.one(p.timeComparison(), p.jsonComparison())
		return text, text
	}
	name := p.one("id", "name", "sessionHostName", "userSessionId", "hostPoolName", "sessionState", "userPrincipalName", "applicationType", "activeDirectoryUserName", "type")
	column, a, b, c := "‹"+name+"›", p.value(name), p.value(name), p.value(name)
	text = p.one(
		column+" = "+a, a+" = "+column, column+" <> "+a, column+" < "+a, column+" >= "+a, a+" > "+column,
		column+" BETWEEN "+a+" AND "+b, column+" NOT BETWEEN "+a+" AND "+b,
		column+" IN ("+a+", "+b+", "+c+")", column+" NOT IN ("+a+", "+b+")", column+" IN ("+a+", NULL)",
		column+" LIKE "+p.pattern(name), column+" ILIKE "+p.pattern(name), column+" NOT LIKE "+p.pattern(name),
		column+" IS NULL", column+" IS NOT NULL", column+" IS DISTINCT FROM "+a, column+" IS NOT DISTINCT FROM "+a,
		column+" = ANY(["+a+", "+b+"])", column+" IN (SELECT x FROM (VALUES ("+a+"), ("+b+")) v(x))", column+" = (SELECT "+a+")",
		"EXISTS (SELECT 1 FROM (VALUES ("+a+"), ("+b+")) v(x) WHERE v.x = "+column+")",
		"CASE "+column+" WHEN "+a+" THEN true WHEN "+b+" THEN false END", "coalesce("+column+", 'none') = "+a,
		"length("+column+") > "+p.one("4", "12", "40"), "contains(lower("+column+"), lower("+a+"))", "list_contains(["+a+", "+b+"], "+column+")",
		"regexp_matches(lower("+column+"), '"+p.one("^o", "[0-4]$", "active|pend", "contoso\\.com", "^$")+"')", "lower("+column+") SIMILAR TO '.*"+p.one("a", "0", "office")+".*'",
		"nullif("+column+", "+a+") IS NULL", column+" || '' = "+a, "TRY_CAST("+column+" AS INTEGER) % 2 = 0", column+" > (SELECT min(x) FROM (VALUES ("+a+"), ("+b+")) v(x))",
	)
	if strings.HasPrefix(text, "list_contains") && slices.Contains([]string{"id", "sessionHostName", "userSessionId", "hostPoolName"}, name) {
		return text, "list_contains([lower(" + a + "), lower(" + b + ")], lower(" + column + "))"
	}
	return text, text
}

// value gives a literal that the column may have: mostly a value of an item,
// sometimes in another case. Session hosts exist, since a host that is named
// and is not there is an error.
func (p *pair) value(name string) string {
	text, _ := p.items[p.rand.IntN(len(p.items))][name].(string)
	switch p.rand.IntN(5) {
	case 0:
		text = strings.ToUpper(text)
	case 1:
		text = strings.ToLower(text)
	}
	if text == "" && name != "userPrincipalName" {
		text = "Active"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// pattern gives a pattern for LIKE.
func (p *pair) pattern(name string) string {
	text := strings.Trim(p.value(name), "'")
	if len(text) > 3 && !strings.Contains(text, "'") {
		at := p.rand.IntN(len(text) - 2)
		text = strings.ToValidUTF8(text[at:at+2], "_")
	}
	return p.one("'%"+text+"%'", "'"+text+"%'", "'_%"+text+"'")
}

// rowComparison compares row values. They ignore case like the columns they
// are made of; DuckDB alone loses that, so the table is asked column by column.
func (p *pair) rowComparison() (text, plain string) {
	columns := [][2]string{{"sessionHostName", "userSessionId"}, {"userSessionId", "name"}, {"id", "sessionHostName"}, {"type", "name"}}[p.rand.IntN(4)]
	row := "(‹" + columns[0] + "›, ‹" + columns[1] + "›)"
	var rows, alternatives []string
	for range 1 + p.rand.IntN(3) {
		a, b := p.value(columns[0]), p.value(columns[1])
		rows = append(rows, "("+a+", "+b+")")
		alternatives = append(alternatives, "(‹"+columns[0]+"› = "+a+" AND ‹"+columns[1]+"› = "+b+")")
	}
	all := "(" + strings.Join(alternatives, " OR ") + ")"
	switch p.rand.IntN(4) {
	case 0:
		return row + " NOT IN (" + strings.Join(rows, ", ") + ")", "NOT " + all
	case 1:
		return row + " = " + rows[0], alternatives[0]
	case 2:
		return rows[0] + " <> " + row, "NOT " + alternatives[0]
	}
	return row + " IN (" + strings.Join(rows, ", ") + ")", all
}

func (p *pair) timeComparison() string {
	at := func() string {
		created, ok := p.items[p.rand.IntN(len(p.items))]["createTime"].(time.Time)
		if !ok {
			created = time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC)
		}
		return "TIMESTAMPTZ '" + created.Format("2006-01-02 15:04:05.999999") + "+00'"
	}
	return p.one("‹createTime› = "+at(), "‹createTime› < "+at(), at()+" <= ‹createTime›", "‹createTime› BETWEEN "+at()+" AND "+at(),
		"‹createTime› IN ("+at()+", "+at()+")", "‹createTime› IS NULL", "‹createTime› > "+at()+" - INTERVAL 1 DAY", "‹createTime› = ANY(["+at()+"])",
		"‹createTime› IS DISTINCT FROM "+at(), "extract('minute' FROM ‹createTime›) < 20", "epoch_ms(‹createTime›) % 2 = 0", "NOT (‹createTime› >= "+at()+")")
}

func (p *pair) jsonComparison() string {
	state := p.value("sessionState")
	return p.one("(‹properties› ->> 'sessionState') = "+state, "(‹properties›->>'$.applicationType') = 'Desktop'", "(‹_raw›->>'$.properties.sessionState') <> "+state,
		"(‹properties› -> 'sessionState')::VARCHAR LIKE '%a%'", "‹systemData› IS NULL", "‹systemData› IS NOT NULL", "(‹systemData› ->> 'createdBy') = 'somebody'", "‹properties› IS NULL",
		"json_extract_string(‹properties›, '$.userPrincipalName') IS NULL", "json_exists(‹_raw›, '$.properties.extra')", "json_type(‹properties›) = 'OBJECT'",
		"len(json_keys(‹properties›)) > 5", "(‹properties› ->> 'createTime') LIKE '2026-11-2%'", "(‹_raw› ->> '$.properties.extra.deep[1]')::INTEGER = 2")
}

// Statements of any form give the rows that they give over a table.
func TestDifferential_shapes(t *testing.T) {
	p := newPair(t)
	count := 0
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		for _, s := range p.shapes() {
			p.check(t, s, strings.Contains(s.text, "/* ordered */"))
			count++
		}
	}
	t.Logf("%d statements", count)
}
