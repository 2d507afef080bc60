package planeql_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// The same statement over several resources must give the same rows, whether
// planeql finds out who is read first and what feeds whom, or DuckDB reads
// tables. The text is the same on both sides: the tables have the resources'
// names. Only where planeql promises more than DuckDB does, the text has both
// forms, as «ours¦theirs».

var joinStatements = flag.Int("differential.joins", 3000, "number of generated statements over several resources")

// estateTable is a resource that the generated statements read.
type estateTable struct {
	name    string   // in full
	columns []string // parameters first
	rows    int      // of the small estate
}

var joinTables = map[string]estateTable{
	"subscriptions": {"azure.subscription.subscriptions", []string{"subscriptionId", "displayName", "state"}, 2},
	"groups":        {"azure.resources.resource_groups", []string{"subscriptionId", "resourceGroupName", "location"}, 3},
	"pools":         {"azure.desktop_virtualization.host_pools", []string{"subscriptionId", "resourceGroupName", "hostPoolName", "location", "hostPoolType", "loadBalancerType"}, 4},
	"hosts":         {"azure.desktop_virtualization.session_hosts", []string{"subscriptionId", "resourceGroupName", "hostPoolName", "sessionHostName", "resourceId", "status"}, 12},
	"sessions":      {"azure.desktop_virtualization.user_sessions", []string{"subscriptionId", "resourceGroupName", "hostPoolName", "sessionHostName", "userSessionId", "sessionState", "userPrincipalName", "applicationType"}, 120},
	"machines":      {"azure.compute.virtual_machines", []string{"subscriptionId", "resourceGroupName", "vmName", "location", "licenseType"}, 12},
	"apps":          {"azure.desktop_virtualization.application_groups", []string{"subscriptionId", "resourceGroupName", "applicationGroupName", "applicationGroupType", "hostPoolArmPath"}, 4},
}

// all gives the columns of a table, those that nearly all have with them.
func (t estateTable) all() []string {
	if !slices.Contains(t.columns, "resourceGroupName") {
		return append(slices.Clone(t.columns), "id")
	}
	return append(slices.Clone(t.columns), "id", "name")
}

// estate is both sides of a differential test over several resources.
type estate struct {
	session *planeql.Session
	sim     *armsim.Simulator
	plain   *pair
	rows    map[string][]map[string]string // by table
	noCase  map[string]bool                // by table.column
	file    string                         // CSV with keys of pools
}

// estateObjects are what both sides have beside the resources. The table and
// the file name pools, one in another case, one that is not there, one twice.
var estateObjects = []string{
	"CREATE TABLE keys AS SELECT * FROM (VALUES ('" + armsim.ProductionSubscription + "', 'rg-avd-prod-weu', 'hp-office', 1), ('" +
		armsim.ProductionSubscription + "', 'RG-AVD-PROD-EUS', 'HP-Sales', 2), ('" + armsim.TestSubscription + "', 'rg-avd-test', 'hp-none', 3), ('" +
		armsim.ProductionSubscription + "', 'rg-avd-prod-weu', 'HP-OFFICE', 4), (NULL, 'rg-avd-test', 'hp-pilot', 5)) v(subscriptionId, resourceGroupName, hostPoolName, nr)",
	"CREATE VIEW all_pools AS SELECT subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, id, name FROM azure.desktop_virtualization.host_pools",
	"CREATE VIEW active AS SELECT u.subscriptionId, u.resourceGroupName, u.hostPoolName, u.sessionHostName, u.userSessionId, u.sessionState, u.id, u.name FROM azure.desktop_virtualization.user_sessions u WHERE u.sessionState = 'Active'",
	"CREATE VIEW placed AS SELECT h.subscriptionId, h.resourceGroupName, h.hostPoolName, h.sessionHostName, p.location, h.id, h.name FROM azure.desktop_virtualization.session_hosts h JOIN azure.desktop_virtualization.host_pools p USING (subscriptionId, resourceGroupName, hostPoolName)",
}

// newEstate starts both sides.
func newEstate(t *testing.T) *estate {
	t.Helper()
	sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithPageSize(20))
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	e := &estate{
		session: open(t, url, planeql.WithFirstRows()), sim: sim, plain: &pair{plain: db},
		rows: map[string][]map[string]string{}, noCase: map[string]bool{}, file: filepath.Join(t.TempDir(), "keys.csv"),
	}
	e.exec(t, plainSettings)
	e.exec(t, "ATTACH ':memory:' AS azure")
	for _, key := range slices.Sorted(maps.Keys(joinTables)) {
		e.load(t, key)
	}
	text := "subscriptionId,resourceGroupName,hostPoolName,nr\n" + armsim.ProductionSubscription + ",rg-avd-prod-weu,HP-Engineering,1\n" + armsim.TestSubscription + ",rg-avd-test,hp-pilot,2\n"
	if err := os.WriteFile(e.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range estateObjects {
		must(t, e.session, text)
		e.exec(t, text)
	}
	return e
}

func (e *estate) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	if _, err := e.plain.plain.Exec(text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// load makes the table of a resource. Its values are read from the items by
// encoding/json and from their ids; whether a column ignores case is the
// resource's word.
func (e *estate) load(t *testing.T, key string) {
	t.Helper()
	table := joinTables[key]
	columns := table.all()
	var probes, definitions, marks []string
	for _, c := range columns {
		probes = append(probes, "bool_and("+c+" = upper("+c+"))")
		marks = append(marks, "?")
	}
	folds := must(t, e.session, "SELECT "+strings.Join(probes, ", ")+" FROM "+table.name)[0]
	for i, c := range columns {
		e.noCase[key+"."+c] = folds[i] == true
		collation := ""
		if folds[i] == true {
			collation = " COLLATE NOCASE"
		}
		definitions = append(definitions, c+" VARCHAR"+collation)
	}
	schema := table.name[:strings.LastIndex(table.name, ".")]
	e.exec(t, "CREATE SCHEMA IF NOT EXISTS "+schema)
	e.exec(t, "CREATE TABLE "+table.name+" ("+strings.Join(definitions, ", ")+")")
	// In an order that is the same in every run: the statements are made of the rows.
	items := must(t, e.session, "SELECT _raw FROM "+table.name+" ORDER BY lower(id)")
	if len(items) != table.rows {
		t.Fatalf("%s has %d items, not %d", table.name, len(items), table.rows)
	}
	for _, item := range items {
		row := itemColumns(t, item[0].(json.RawMessage), columns)
		e.rows[key] = append(e.rows[key], row)
		var args []any
		for _, c := range columns {
			if v, ok := row[c]; ok {
				args = append(args, v)
			} else {
				args = append(args, nil)
			}
		}
		e.exec(t, "INSERT INTO "+table.name+" VALUES ("+strings.Join(marks, ", ")+")", args...)
	}
}

// idParts are the places in an id after which the value of a parameter stands.
var idParts = map[string]string{
	"subscriptionId": "subscriptions", "resourceGroupName": "resourcegroups", "hostPoolName": "hostpools", "sessionHostName": "sessionhosts",
	"userSessionId": "usersessions", "vmName": "virtualmachines", "applicationGroupName": "applicationgroups",
}

// itemColumns gives the columns of an item that it has.
func itemColumns(t *testing.T, raw json.RawMessage, columns []string) map[string]string {
	t.Helper()
	var item map[string]any
	if err := json.Unmarshal(raw, &item); err != nil {
		t.Fatal(err)
	}
	properties, _ := item["properties"].(map[string]any)
	id := strings.Split(fmt.Sprint(item["id"]), "/")
	row := map[string]string{}
	for _, c := range columns {
		if segment, ok := idParts[c]; ok {
			if i := slices.IndexFunc(id, func(s string) bool { return strings.EqualFold(s, segment) }); i >= 0 && i+1 < len(id) {
				row[c] = id[i+1]
			} else if c == "resourceGroupName" {
				row[c] = fmt.Sprint(item["name"])
			}
			continue
		}
		for _, from := range []map[string]any{item, properties} {
			if v := from[c]; v != nil {
				row[c] = fmt.Sprint(v)
				break
			}
		}
	}
	return row
}

// joined is a generated statement.
type joined struct {
	text    string
	ordered bool
}

var (
	twoForms = regexp.MustCompile(`«([^¦»]*)¦([^»]*)»`)
	argument = regexp.MustCompile(`⟪([^⟫]*)⟫`)
)

// forms gives the text of both sides and the arguments that they share.
func (j joined) forms() (ours, theirs string, args []any) {
	numbered := argument.ReplaceAllStringFunc(j.text, func(m string) string {
		args = append(args, argument.FindStringSubmatch(m)[1])
		return fmt.Sprintf("$%d", len(args))
	})
	return twoForms.ReplaceAllString(numbered, "$1"), twoForms.ReplaceAllString(numbered, "$2"), args
}

// checkJoined runs a statement on both sides. It tells whether it gave rows,
// and whether planeql refused it for a named scope that is not there.
func (e *estate) checkJoined(t *testing.T, j joined) (rows int, refused bool) {
	t.Helper()
	ours, theirs, args := j.forms()
	want, wantErr := e.plain.plainRows(theirs, args...)
	got, err := query(t, e.session, ours, args...)
	if failure, ok := errors.AsType[*planeql.Error](err); ok && failure.Code == fault.NotFound {
		return 0, true // no table says that what is named must be there
	}
	switch {
	case wantErr != nil && err == nil:
		t.Errorf("%s\n-- %v\ngives rows, DuckDB says %v", ours, args, wantErr)
	case wantErr != nil && strings.Contains(wantErr.Error(), "non-inner LATERAL"):
		// Nobody can tell beforehand which of these DuckDB cannot do.
	case wantErr != nil:
		t.Errorf("%s\n-- %v\nis no statement: %v", ours, args, wantErr)
	case err != nil:
		t.Errorf("%s\n-- %v\n%s\nDuckDB gives %d rows", ours, args, printed(err), len(want))
	default:
		e.plain.compare(t, fmt.Sprintf("%s\n-- %v\n", ours, args), got, want, j.ordered)
	}
	return len(want), false
}

// Statements over several resources give the rows that they give over tables.
func TestDifferential_joins(t *testing.T) {
	e := newEstate(t)
	count := *joinStatements
	if testing.Short() {
		count /= 10
	}
	t.Logf("seed %d (-differential.seed)", *seed)
	some, refusals := 0, 0
	for i := range count {
		if deadline, ok := t.Deadline(); ok && i > count/3 && time.Until(deadline) < 3*time.Minute {
			t.Logf("the time is up, %d statements are left", count-i)
			count = i
			break
		}
		// Each statement has its own source, so that one can be made again alone.
		g := &generator{estate: e, rand: rand.New(rand.NewPCG(*seed, uint64(i)))}
		rows, refused := e.checkJoined(t, g.statement())
		if rows > 0 {
			some++
		}
		if refused {
			refusals++
		}
		if t.Failed() && os.Getenv("DIFFERENTIAL_ALL") == "" {
			t.Fatalf("statement %d of seed %d", i, *seed)
		}
	}
	t.Logf("%d statements, %d of them with rows, %d refused since what they name is not there", count, some, refusals)
	if some < count/2 || refusals > count/20 {
		t.Errorf("of %d statements only %d give rows and %d are refused: they say little", count, some, refusals)
	}
}
