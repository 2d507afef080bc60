package planeql

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// Foresee plans the statements of a script before the first of them runs, as far
// as they do not depend on what those before them make, and gives the first
// error about a name: a slip in the last line is found before any call. Behind
// ON ERROR CONTINUE nothing is asked, since the script goes on there.
func (s *Session) Foresee(ctx context.Context, statements []*Statement) error {
	if len(statements) < 2 || s.KeepsGoing() {
		return nil
	}
	use, variables := s.use, s.variables
	defer func() { s.use, s.variables = use, variables }()
	s.variables = maps.Clone(variables)
	if s.variables == nil {
		s.variables = map[string]syntax.Variable{}
	}
	f := foresight{session: s, unset: map[string]bool{}}
	for _, st := range statements {
		if !f.concerns(st.inner) {
			continue
		}
		if err := f.plan(ctx, st.inner); err != nil {
			return st.Locate(fault.From(suggestQuotes(s.suggestResource(err))))
		}
		if !f.follow(st.inner) {
			return nil
		}
	}
	return nil
}

// foresight is what is known of a session when a statement of a script is
// reached.
type foresight struct {
	session *Session
	made    []string        // names of tables and views that statements make or drop
	unset   map[string]bool // variables whose values a statement will give, by lower-case names
}

// concerns tells whether nothing that a statement names is made by one before it.
func (f *foresight) concerns(st *syntax.Statement) bool {
	return !slices.ContainsFunc(st.Tokens, func(t syntax.Token) bool {
		name, ok := t.Name()
		return ok && slices.ContainsFunc(f.made, func(m string) bool { return strings.EqualFold(m, name) })
	})
}

// plan gives what is wrong with the names of a statement.
func (f *foresight) plan(ctx context.Context, st *syntax.Statement) error {
	switch head := st.Head.(type) {
	case syntax.Query, syntax.Exec, syntax.Insert, syntax.Update, syntax.Delete, syntax.SetVariable, syntax.Check:
	case syntax.Explain:
		st = head.Statement
	default:
		return nil
	}
	_, err := f.session.explained(ctx, st)
	if e := fault.As(err); e != nil && slices.Contains(f.certain(st), e.Code) {
		return err
	}
	return nil
}

// certain gives the errors that no value of a variable would change.
func (f *foresight) certain(st *syntax.Statement) []fault.Code {
	codes := []fault.Code{fault.UndefinedTable, fault.UndefinedColumn, fault.UndefinedParameter, fault.UndefinedMethod}
	open := slices.ContainsFunc(st.Tokens, func(t syntax.Token) bool { return t.Is("getvariable") }) && len(f.unset) > 0
	if open {
		return codes
	}
	return append(codes, fault.MissingParameter, fault.InvalidValue, fault.TypeMismatch)
}

// follow does to the session what a statement will do to the meaning of names;
// false where that is not known.
func (f *foresight) follow(st *syntax.Statement) bool {
	switch head := st.Head.(type) {
	case syntax.Use:
		full, err := f.session.usePath(head.Name.Parts)
		if err != nil {
			return false // a catalog or a schema of DuckDB
		}
		f.session.use = full
	case syntax.Create:
		f.made = append(f.made, head.Name.Parts[len(head.Name.Parts)-1])
	case syntax.Drop:
		f.made = append(f.made, head.Name.Parts[len(head.Name.Parts)-1])
	case syntax.SetVariable:
		name := strings.ToLower(head.Name)
		f.unset[name] = true
		f.session.variables[name] = syntax.Variable{Literal: "NULL"}
	case syntax.ResetVariable:
		delete(f.session.variables, strings.ToLower(head.Name))
	case syntax.OnError:
		return !head.Continue
	case syntax.Other:
		return slices.Contains([]string{"BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE", "LOAD", "INSTALL"}, head.Verb) ||
			head.Verb == "SET" && !slices.ContainsFunc(st.Tokens, func(t syntax.Token) bool { return t.Is("schema") || t.Is("search_path") })
	}
	return true
}
