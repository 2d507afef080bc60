package duck

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// policyFunction is aws_policy_equal(a, b): whether two policies of AWS, or two
// lists of tags, mean the same.
type policyFunction struct{}

// Config gives the function's types.
func (policyFunction) Config() duckdb.ScalarFuncConfig {
	text, _ := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR) // plain types are never refused
	boolean, _ := duckdb.NewTypeInfo(duckdb.TYPE_BOOLEAN)
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{text, text}, ResultTypeInfo: boolean}
}

// Executor gives what is called for each row without a NULL.
func (policyFunction) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		var policies [2]string
		for i := range policies {
			text, _ := values[i].(string)
			var err error
			if policies[i], err = canonicalPolicy(text); err != nil {
				return nil, err
			}
		}
		return policies[0] == policies[1], nil
	}}
}

// canonicalPolicy gives a text that is the same for policies that mean the same:
// lists are sets, and one of one member is that member; names of actions ignore
// case; numbers and booleans are their texts; everybody is "*" or all of AWS
// (IAM User Guide, "IAM JSON policy elements reference").
func canonicalPolicy(text string) (string, error) {
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return "", fmt.Errorf("aws_policy_equal takes JSON, not %q", text[:min(len(text), longestExample)]) // DuckDB carries its text
	}
	canonical, _ := json.Marshal(canonicalMember("", value)) // what was read is written
	return string(canonical), nil
}

// canonicalMember gives the form of the value of a member.
func canonicalMember(name string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		members := map[string]any{}
		for key, member := range v {
			members[key] = canonicalMember(key, member)
		}
		if everybody := members["AWS"] == "*" && len(members) == 1; everybody && (name == "Principal" || name == "NotPrincipal") {
			return "*"
		}
		return members
	case []any:
		return canonicalSet(name, v)
	case nil:
		return nil
	}
	text := fmt.Sprint(value)
	if name == "Action" || name == "NotAction" {
		text = strings.ToLower(text)
	}
	return text
}

// canonicalSet gives the form of a list.
func canonicalSet(name string, list []any) any {
	var texts []string
	for _, member := range list {
		text, _ := json.Marshal(canonicalMember(name, member)) // what was read is written
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	if texts = slices.Compact(texts); len(texts) == 1 {
		return canonicalMember(name, list[0])
	}
	set := []any{}
	for _, text := range texts {
		set = append(set, json.RawMessage(text))
	}
	return set
}

func (db *DB) registerPolicy() error {
	return duckdb.RegisterScalarUDF(db.conn.sql, "aws_policy_equal", policyFunction{})
}
