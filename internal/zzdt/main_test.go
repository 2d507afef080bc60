package zzdt
import ("testing";"database/sql";"fmt";"strings"
_ "github.com/duckdb/duckdb-go/v2")
func TestX(t *testing.T){
 db,_:=sql.Open("duckdb",""); defer db.Close()
 for _,q:=range []string{"SELECT 1, COLUMNS(*) FROM t","SELECT 1, max(COLUMNS(t.*)) FROM t", "SELECT 1, COLUMNS('a.*') FROM t","SELECT 1, COLUMNS(c -> c LIKE 'a') FROM t","SELECT 1, COLUMNS(['a','b']) FROM t","SELECT 1, COLUMNS(* EXCLUDE a) FROM t","SELECT 1, *COLUMNS('a') FROM t", "SELECT * LIKE 'a%' FROM t","SELECT x FROM t WHERE p IN (CASE WHEN true THEN 'a' END, CASE WHEN true THEN 'b' END, 'x'::VARCHAR, [1][1], a ->> 'b' = 'c')", "SELECT 1 FROM t WHERE (a,b) IN (SELECT 1,2)","SELECT a FROM t u(a,b), (VALUES (1)) v(x), LATERAL (SELECT 1 AS q) z(qq), range(3) r(i)", "SELECT count(DISTINCT (a,b)) FROM t"} {
  var s string
  if err:=db.QueryRow("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR",q).Scan(&s);err!=nil{t.Fatal(err)}
  s=strings.ReplaceAll(s,`"query_location":18446744073709551615`,`"NOLOC":1`)
  fmt.Println(q,"\n   ",s)
 }
 rows,_:=db.Query("SELECT name FROM duckdb_optimizers()"); for rows.Next(){var n string; rows.Scan(&n); fmt.Print(n," ")}
}
