package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code is a five-character error code. Values of SQLSTATE are used where the
// standard has one for the situation; clients match on the code, never on the
// text.
type Code string

// The codes planeql uses. Each has one golden case that shows its printed form.
const (
	SyntaxError        Code = "42601" // the text is not a statement
	DuplicateTable     Code = "42P07" // the name of a table or view is taken
	UndefinedTable     Code = "42P01" // no such provider, service or resource
	UndefinedColumn    Code = "42703" // no such column
	UndefinedMethod    Code = "42883" // no such method or function
	UndefinedParameter Code = "42P02" // no such parameter, placeholder or argument
	AmbiguousColumn    Code = "42702" // more than one table has the column
	MissingParameter   Code = "HV002" // no method can be called with what is given
	InvalidValue       Code = "22023" // a value that the parameter does not take
	TypeMismatch       Code = "42804" // a value of the wrong type
	InvalidJSON        Code = "22032" // text that should be JSON and is not
	DataException      Code = "22000" // an evaluation failed inside DuckDB
	NotSupported       Code = "0A000" // valid SQL that planeql does not run
	InvalidFlag        Code = "22P01" // a flag or setting of the command line
	DocumentInvalid    Code = "HV021" // a provider document is wrong
	DocumentMissing    Code = "HV00R" // a provider document is not there
	NoCredential       Code = "28000" // no credential could be had
	Unauthenticated    Code = "28P01" // the service refused the credential (401)
	Forbidden          Code = "42501" // not permitted (403)
	NotFound           Code = "P0002" // the service knows no such thing (404)
	Rejected           Code = "HV00L" // the service refused the request (other 4xx)
	ServiceFailed      Code = "HV000" // the service failed (5xx)
	ReplyInvalid       Code = "HV004" // an answer that cannot be read
	Throttled          Code = "53000" // throttled beyond patience (429)
	LimitReached       Code = "54000" // a limit of planeql or of the user's
	CannotConnect      Code = "08001" // no connection to the service
	ConnectionLost     Code = "08006" // the connection broke
	Cancelled          Code = "57014" // interrupted or out of time
	ReadOnly           Code = "25006" // a write under --read-only
	ConfirmationNeeded Code = "55000" // a write that nobody confirmed
	Incomplete         Code = "55001" // a write whose targets could not all be read
	Exists             Code = "23505" // an INSERT of what is there already
	OutcomeUnknown     Code = "08007" // a write that may or may not have happened
	StillRunning       Code = "57P10" // an operation that goes on at the service and is not waited for any more
	RecordFailed       Code = "58030" // the audit file or the journal cannot be written
	CheckFailed        Code = "P0004" // --fail-if-rows, --fail-if-empty
	PartialResult      Code = "01000" // rows missing as allowed by on_error=skip
	Internal           Code = "XX000" // a bug of planeql
	ScopeGone          Code = "01P02" // warning: a place that another call named was not there
	ValueMisfit        Code = "01004" // warning: values that do not fit their type
)

// Scope says who has to act on an error.
type Scope string

// The scopes of [Error].
const (
	Statement  Scope = "statement"  // the author of the statement or of the flags
	Document   Scope = "document"   // the provider document
	Credential Scope = "credential" // whoever signs in or grants rights
	Guard      Scope = "guard"      // a safety limit the user has set, or has to lift
	Provider   Scope = "provider"   // the service refused the request
	Service    Scope = "service"    // the service or the network failed
	Interrupt  Scope = "interrupt"  // the user stopped the run
	Check      Scope = "check"      // a check the user asked for did not hold
	Engine     Scope = "engine"     // planeql itself
)

// Source is a text with a name, as the user wrote it: a file, the argument of
// a command, standard input. It is immutable.
type Source struct {
	Name string
	Text string
}

// Span is a byte range of a source. The zero Span is no position.
type Span struct {
	Source     *Source
	Start, End int
}

// HTTP is what a failed call was and what the service answered. Secrets are
// already masked when it is made.
type HTTP struct {
	Method    string
	URL       string
	Status    int           // 0: no answer came
	Code      string        // the service's own code, empty where it gave none
	Message   string        // the service's own words
	RequestID string        // what the service's support asks for
	Attempts  int           // how often the request was sent
	Waited    time.Duration // time spent waiting between attempts
}

// Error is an error of planeql. Code and Message are always set; the rest is
// set as far as it is known. An Error is not changed once it is returned: the
// With methods give a copy.
type Error struct {
	Code    Code
	Message string // one sentence, lower case, no full stop
	Detail  string // what was found; may have several lines
	Hint    string // what to do next; may be a statement that can be pasted
	Span    Span
	Scope   Scope
	Object  string // provider.service.resource.method, as far as known
	HTTP    *HTTP
	Cause   error
}

// New makes an error of a code, whose scope follows from the code.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Scope: scopes[code]}
}

var scopes = map[Code]Scope{
	SyntaxError: Statement, DuplicateTable: Statement, UndefinedTable: Statement, UndefinedColumn: Statement,
	UndefinedMethod: Statement, UndefinedParameter: Statement, AmbiguousColumn: Statement,
	MissingParameter: Statement, InvalidValue: Statement, TypeMismatch: Statement,
	InvalidJSON: Statement, DataException: Statement, NotSupported: Statement, InvalidFlag: Statement,
	DocumentInvalid: Document, DocumentMissing: Document,
	NoCredential: Credential, Unauthenticated: Credential, Forbidden: Credential,
	NotFound: Provider, Rejected: Provider,
	ServiceFailed: Service, ReplyInvalid: Service, Throttled: Service, CannotConnect: Service,
	ConnectionLost: Service, OutcomeUnknown: Service, Cancelled: Service, StillRunning: Service, RecordFailed: Guard,
	LimitReached: Guard, ReadOnly: Guard, ConfirmationNeeded: Guard, Incomplete: Guard, Exists: Provider,
	CheckFailed: Check, PartialResult: Provider, Internal: Engine, ValueMisfit: Statement,
}

// Unsupported makes the error for valid SQL that planeql does not run; what
// names the construct.
func Unsupported(what string) *Error {
	return New(NotSupported, "%s is not supported", what)
}

// Bug makes the error for a broken invariant of planeql.
func Bug(format string, args ...any) *Error {
	return New(Internal, format, args...).
		WithHint("this is a bug of planeql: please report it with the statement that shows it")
}

// As finds the *Error in the chain of err, or gives nil.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}

// From gives the *Error in the chain of err; an error without one becomes an
// internal error, since no other layer may let a bare error reach the user.
// From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e := As(err); e != nil {
		return e
	}
	e := Bug("%s", err.Error())
	e.Cause = err
	return e
}

// Error gives the code and the message on one line. The full form is
// [Error.Print].
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Message
	if e.HTTP != nil && e.HTTP.Message != "" {
		text += ": " + e.HTTP.Message
	}
	return text
}

// Unwrap gives the cause, so that errors.Is and errors.As see through.
func (e *Error) Unwrap() error { return e.Cause }

// WithHint gives a copy that says what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// WithDetail gives a copy that says what was found.
func (e *Error) WithDetail(format string, args ...any) *Error {
	c := *e
	c.Detail = fmt.Sprintf(format, args...)
	return &c
}

// At gives a copy with a position, unless it has one already: the innermost
// position is the most exact.
func (e *Error) At(span Span) *Error {
	if e.Span.Source != nil {
		return e
	}
	c := *e
	c.Span = span
	return &c
}

// On gives a copy that names the object, unless it names one already.
func (e *Error) On(object string) *Error {
	if e.Object != "" {
		return e
	}
	c := *e
	c.Object = object
	return &c
}

// Because gives a copy with a cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// In gives a copy with another scope than the one its code implies.
func (e *Error) In(scope Scope) *Error {
	c := *e
	c.Scope = scope
	return &c
}
