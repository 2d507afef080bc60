package planeql_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// badSyntax has texts that are no statement.
func badSyntax() []badInput {
	syntax := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.SyntaxError, message: message, hint: hint, at: at, exit: 2}
	}
	return []badInput{
		syntax("misspelt verb", "SELEC 1", `at or near "SELEC"`, "did you mean SELECT?", "1:1"),
		syntax("misspelt verb of DuckDB", "CREAT TABLE t (a INT)", `at or near "CREAT"`, "did you mean CREATE?", "1:1"),
		syntax("no verb", "FETCHALL azure", `at or near "FETCHALL"`, "a statement begins with one of SELECT", "1:1"),
		syntax("a verb of StackQL", "AUTH LOGIN azure", `at or near "AUTH"`, "planeql auth check azure", "1:1"),
		syntax("a number as a statement", "1 SELECT", `cannot begin with "1"`, "such as SELECT", "1:1"),
		syntax("DIV", "SELECT 7 DIV 2", `at or near "2"`, "a // b divides integers", "1:14"),
		syntax("REGEXP with a column", "SELECT 'a' REGEXP x FROM (VALUES ('a')) t(x)", `at or near "x"`, "regexp_matches(text, pattern)", "1:19"),
		syntax("STRAIGHT_JOIN", "SELECT * FROM t STRAIGHT_JOIN u", `at or near "u"`, "write JOIN", "1:31"),
		syntax("statement of StackQL", "NATIVEQUERY 'SELECT 1'", `at or near "NATIVEQUERY"`, "leave the word and the quotes out", "1:1"),
		syntax("nothing selected", "SELECT", "without selection list", "name columns", "1:1"),
		syntax("end of input", "SELECT id FROM %U\nWHERE %P AND", "at end of input", "ends too early", "2:139"),
		syntax("a word of SQL as a name", "SELECT id,\n  FROM FROM %U", `at or near "FROM"`, "double quotes", "2:8"),
		syntax("bracket closes nothing", "SELECT 1)", `at or near ")"`, "at the mark or just before it", "1:9"),
		syntax("string", "SELECT id FROM %U\nWHERE name = 'it", `a string is not closed`, "written twice", "2:14"),
		syntax("quoted name", `SELECT "id FROM %U`, "a quoted name is not closed", "at the mark", "1:8"),
		syntax("backquoted name", "SELECT `id FROM %U", "a quoted name is not closed", "at the mark", "1:8"),
		syntax("dollar string", "SELECT $$it", `"$$" is missing`, "at the mark", "1:8"),
		syntax("comment", "SELECT 1 /* one", "a comment is not closed", "at the mark", "1:10"),
		syntax("placeholder brackets", "SELECT {{ x", "a placeholder is not closed", "at the mark", "1:8"),
		syntax("second statement", "SELECT 1;\nSELEC 2", `at or near "SELEC"`, "did you mean SELECT?", "2:1"),
		syntax("EXEC of nothing", "EXEC", "the name of a method", "the form is EXEC", "1:5"),
		syntax("argument without value", "EXEC %U.disconnect @userSessionId", `"=" is expected after @userSessionId`, "the form is EXEC", "1:74"),
		syntax("argument with nothing after =", "EXEC %U.disconnect @a = , @b = 1", "a value is expected after @a", "the form is EXEC", "1:65"),
		syntax("argument twice", "EXEC %U.disconnect %A,\n@userSessionId = 4", "@userSessionId is given twice", "the form is EXEC", "2:1"),
		syntax("no FROM", "DELETE %U", "FROM is expected after DELETE", "the form is DELETE FROM", "1:8"),
		syntax("SHOW without IN", "SHOW METHODS", "IN is expected", "SHOW METHODS IN provider.service.resource", "1:13"),
		syntax("EXPLAIN of nothing", "EXPLAIN", "a statement is expected", "the form is EXPLAIN", "1:8"),
	}
}

// badNames has names of providers, services, resources, methods and functions
// that there are not.
func badNames() []badInput {
	table := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.UndefinedTable, message: message, hint: hint, at: at, exit: 2}
	}
	method := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.UndefinedMethod, message: message, hint: hint, at: at, exit: 2}
	}
	return []badInput{
		table("provider, near", "SELECT * FROM azur.desktop_virtualization.user_sessions", `no provider "azur"`, "did you mean azure?", "1:15"),
		table("provider, far", "SELECT * FROM aws.ec2.instances", `no provider or database "aws"`, "SHOW PROVIDERS", "1:15"),
		table("service, near", "SELECT * FROM azure.desktop_virtualisation.user_sessions", `no service "desktop_virtualisation"`, "did you mean desktop_virtualization?", "1:15"),
		table("service, far", "SELECT * FROM azure.storage.accounts", `no service "storage"`, "SHOW SERVICES IN azure", "1:15"),
		table("service alone", "SELECT * FROM azure.desktop_virtualization", "is a service, not a resource", "SHOW RESOURCES IN azure.desktop_virtualization", "1:15"),
		table("resource, near", "SELECT * FROM azure.desktop_virtualization.user_session", `no resource "user_session"`, "did you mean user_sessions?", "1:15"),
		table("resource, far", "SELECT * FROM azure.desktop_virtualization.xyz", `no resource "xyz"`, "SHOW RESOURCES IN", "1:15"),
		table("short name without USE", "SELECT * FROM user_sessions", `no table "user_sessions"`, "USE azure.desktop_virtualization", "1:15"),
		table("method as a table", "SELECT * FROM %U.list", "too many parts", "provider.service.resource", "1:15"),
		table("no table at all", "SELECT * FROM nothing", `no table "nothing"`, "SHOW TABLES", "1:15"),
		table("in a subquery", "SELECT 1 WHERE EXISTS (\n  FROM azure.desktop_virtualization.host_pool)", `no resource "host_pool"`, "did you mean host_pools?", "2:8"),
		table("in EXPLAIN", "EXPLAIN SELECT * FROM azure.desktop_virtualization.user_session", `"user_session"`, "did you mean user_sessions?", "1:23"),
		table("in DESCRIBE", "DESCRIBE azure.desktop_virtualization.user_session", `"user_session"`, "did you mean user_sessions?", "1:10"),
		table("in SHOW", "SHOW METHODS IN azure.desktop_virtualization.usersession", `"usersession"`, "did you mean user_sessions?", "1:17"),
		table("in USE", "USE azure.desktop", `no service "desktop"`, "did you mean desktop_virtualization?", "1:5"),
		table("resource in USE", "USE %U", "takes a provider or provider.service", "USE azure.desktop_virtualization makes user_sessions enough", "1:5"),
		table("in DELETE", "DELETE FROM azure.desktop_virtualization.user_session", `"user_session"`, "did you mean user_sessions?", "1:13"),
		method("method, near", "EXEC %U.send_mesage %A", `no method "send_mesage"`, "did you mean send_message?", "1:6"),
		method("method, far", "EXEC %U.reboot %A", `no method "reboot"`, "SHOW METHODS IN "+sessions, "1:6"),
		method("method in DESCRIBE", "DESCRIBE METHOD %U.lst", `no method "lst"`, "did you mean list?", "1:17"),
		method("EXEC of a resource", "EXEC %U %A", "is not the name of a method", "provider.service.resource.method", "1:6"),
		method("function, near", "SELECT cont(*) FROM %U WHERE %P", `no function "cont"`, "did you mean count?", "1:8"),
		method("function of SQLite", "SELECT json_set(_raw, '$.a', 1) FROM %U WHERE %P", `no function "json_set"`, "json_merge_patch", "1:8"),
		method("function of other types", "SELECT sessionState + 1 FROM %U WHERE %P", "no function matches", "cast the values", "1:21"),
	}
}

// badColumns has columns that there are not, and comparisons that cannot be.
func badColumns() []badInput {
	column := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.UndefinedColumn, message: message, hint: hint, at: at, exit: 2}
	}
	host := strings.ReplaceAll(inPool, "AND ", "AND h.")
	return []badInput{
		column("column, near", "SELECT sessionStat FROM %U WHERE %P", `no column "sessionStat"`, "did you mean sessionState?", "1:8"),
		column("column, far", "SELECT qqq FROM %U WHERE %P", `no column "qqq"`, "DESCRIBE EXTENDED "+sessions, "1:8"),
		column("column in WHERE", "SELECT id FROM %U WHERE %P\nAND sesionState = 'Active'", `no column "sesionState"`, "did you mean sessionState?", "2:5"),
		column("column in ORDER BY", "SELECT id FROM %U WHERE %P\nORDER BY nme", `no column "nme"`, "did you mean name?", "2:10"),
		column("member of properties", "SELECT properties.sesionState FROM %U WHERE %P", `no member "sesionState"`, "did you mean sessionState?", "1:8"),
		column("alias that is not there", "SELECT h.id FROM %U u WHERE %P", `"h" is no table of the statement`, "did you mean u?", "1:8"),
		column("column of a subquery", "SELECT a FROM (SELECT 1 AS b)", `no column "a"`, "did you mean b?", "1:8"),
		column("parameter of another verb", "SELECT id FROM %U WHERE %P\nAND force = true", "force is a parameter of delete", "SHOW METHODS IN", "2:5"),
		column("parameter of DELETE", "DELETE FROM %U WHERE %P\nAND sessionHost = 'h'", `has no column "sessionHost"`, "did you mean sessionHostName?", "2:5"),
		{
			name: "column of two tables", code: fault.AmbiguousColumn, message: `more than one table has a column "id"`, hint: "u.id or h.id", at: "1:8", exit: 2,
			text: "SELECT id FROM %U u JOIN azure.desktop_virtualization.session_hosts h ON true WHERE u." + strings.ReplaceAll(inPool, "AND ", "AND u.") + " AND h." + host,
		},
		{
			name: "text that is no time", text: "SELECT id FROM %U WHERE %P\nAND createTime > 'lately'",
			code: fault.TypeMismatch, message: `"lately"`, hint: "TRY_CAST", at: "2:18", exit: 2, requests: 1,
		},
	}
}

// badParameters has parameters that are missing, too many or of the wrong type.
func badParameters() []badInput {
	value := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.InvalidValue, message: message, hint: hint, at: at, exit: 2}
	}
	missing := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.MissingParameter, message: message, hint: hint, at: at, exit: 2}
	}
	surplus := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.UndefinedParameter, message: message, hint: hint, at: at, exit: 2}
	}
	refused := func(name, text, message, hint, at string) badInput {
		return badInput{name: name, text: text, code: fault.NotSupported, message: message, hint: hint, at: at, exit: 2}
	}
	const pools = "SELECT id FROM azure.desktop_virtualization.host_pools\nWHERE subscriptionId = "
	return []badInput{
		value("integer", "SELECT id FROM %U WHERE %P\nAND pageSize = 'many'", "pageSize takes an integer, not 'many'", "pageSize = 100", "2:16"),
		value("boolean", "SELECT id FROM %U WHERE %P\nAND isDescending = 'up'", "isDescending takes true or false", "isDescending = true", "2:20"),
		value("uuid", pools+"'prod'", "subscriptionId takes a UUID, not 'prod'", "00000000-", "2:24"),
		value("number for a uuid", pools+"7", "subscriptionId takes a UUID, not '7'", "00000000-", "2:24"),
		value("expression for a uuid", pools+"'pr' || 'od'", "subscriptionId takes a UUID, not 'prod'", "00000000-", "2:29"),
		value("empty name", pools+"'%S' AND resourceGroupName = ''", "takes a name, not ''", "'…'", "2:87"),
		value("name that climbs", pools+"'%S' AND resourceGroupName = '..'", "takes a name, not '..'", "'…'", "2:87"),
		value("boolean of EXEC", "EXEC %U.delete %A,\n@force = 'perhaps'", "force takes true or false", "force = true", "2:10"),
		value("operator on a parameter", "SELECT id FROM %U WHERE %P\nAND pageSize > 5", "takes = or IN", "pageSize = '…'", "2:5"),
		missing("nothing given", "SELECT id FROM azure.desktop_virtualization.private_link_resources", "cannot be read", "WHERE subscriptionId = '…'", "1:16"),
		missing("a part given", "SELECT id FROM azure.desktop_virtualization.private_link_resources WHERE subscriptionId = '%S'", "cannot be read", "AND workspaceName = '…'", "1:16"),
		missing("of EXEC", "EXEC %U.disconnect @subscriptionId = '%S'", "needs @resourceGroupName, @hostPoolName", "EXEC "+sessions+".disconnect", "1:6"),
		refused("DELETE of everything", "DELETE FROM %U", "without WHERE would be done to all of them", "WHERE true", "1:13"),
		surplus("of EXEC, near", "EXEC %U.disconnect\n@resourceGroup = 'rg'", "no parameter @resourceGroup", "did you mean resourceGroupName?", "2:1"),
		surplus("of EXEC, far", "EXEC %U.disconnect %A,\n@force = true", "no parameter @force", "DESCRIBE METHOD "+sessions+".disconnect", "2:1"),
		surplus("argument without a value", "SELECT id FROM %U WHERE %P\nAND name = ?", "uses argument 1 and 0 are given", "--var", "2:12"),
		value("SET of a part of the name", "UPDATE azure.desktop_virtualization.host_pools SET hostPoolName = 'x' WHERE %P", "is a part of the name", "it selects what is changed", "1:52"),
		value("SET of a read-only member", "UPDATE azure.desktop_virtualization.host_pools SET objectId = 'x' WHERE %P", "is read-only", "leave it out", "1:52"),
		refused("DELETE of what cannot be", "DELETE FROM azure.subscription.subscriptions WHERE subscriptionId = '%S'", "no method that serves DELETE", "SHOW METHODS IN", "1:13"),
		refused("column as an argument", "EXEC %U.disconnect @userSessionId = three", "takes a value, not a column", "single quotes", "1:77"),
		refused("UPDATE", "UPDATE azure.desktop_virtualization.host_pools SET tags = '{}'", "UPDATE without WHERE", "WHERE true", "1:8"),
	}
}

// badBodies has bodies that are no JSON, or not what the method takes.
func badBodies() []badInput {
	send := func(name, payload string, code fault.Code, message, hint string) badInput {
		return badInput{name: name, text: "EXEC %U.send_message %A,\n" + payload, code: code, message: message, hint: hint, at: "2:10", exit: 2}
	}
	unknown := send("unknown @@ argument", "@@jsn = '{}'", fault.UndefinedParameter, "@@jsn is not known", "@@json = '{…}'")
	unknown.at = "2:1"
	return []badInput{
		unknown,
		send("malformed", `@@json = '{"messageTitle": }'`, fault.InvalidJSON, "@@json is not JSON", "for example"),
		send("cut off", `@@json = '{"messageTitle": "a"'`, fault.InvalidJSON, "@@json is not JSON", "for example"),
		send("two values", `@@json = '{} {}'`, fault.InvalidJSON, "something follows", "for example"),
		send("unknown member", `@@json = '{"messageTitl": "a"}'`, fault.UndefinedParameter, `no member "messageTitl"`, "did you mean messageTitle?"),
		send("type of a member", `@@json = '{"messageTitle": 5}'`, fault.TypeMismatch, "messageTitle takes a string", "DESCRIBE METHOD "+sessions+".send_message"),
		send("type of the body", `@@json = '[]'`, fault.TypeMismatch, "the body takes an object", "DESCRIBE METHOD"),
		{
			name: "body where there is none", text: disconnect + ",\n@@json = '{}'", code: fault.InvalidValue,
			message: "disconnect takes no body", hint: "leave @@json out", at: "2:1", exit: 2,
		},
		{
			name: "required member", code: fault.MissingParameter, message: "is required", hint: "DESCRIBE METHOD", at: "2:10", exit: 2,
			text: "EXEC azure.desktop_virtualization.host_pools.create_or_update @subscriptionId = '%S', @resourceGroupName = 'rg', @hostPoolName = 'new',\n@@json = '{\"location\": \"westeurope\"}'",
		},
	}
}

// badSettings has settings that cannot be.
func badSettings() []badInput {
	return []badInput{
		{name: "value of SET", text: "SET on_error = 'ignore'", code: fault.InvalidValue, message: "on_error is 'fail' or 'skip'", hint: "skip gives", at: "1:16", exit: 2},
		{name: "name of SET", text: "SET nonsense = 1", code: fault.UndefinedParameter, message: `no setting "nonsense"`, exit: 2},
		{
			name: "kind of sign-in", text: "SELECT 1", flags: []string{"--auth", "azure=clii"}, options: []planeql.Option{planeql.WithAuth("azure", "clii", nil)},
			code: fault.InvalidFlag, message: "clii", hint: "cli", exit: 2,
		},
		{
			name: "provider of an endpoint", text: "SELECT 1", flags: []string{"--endpoint", "azur=http://127.0.0.1:1"},
			options: []planeql.Option{planeql.WithEndpoint("azur", "http://127.0.0.1:1")},
			code:    fault.InvalidFlag, message: `no provider "azur"`, hint: "did you mean azure?", exit: 2,
		},
	}
}

// badPlaceholders has placeholders without a value, or with one that must not
// stand there.
func badPlaceholders() []badInput {
	variables := func(values ...string) ([]string, []planeql.Option) {
		given := map[string]string{}
		var flags []string
		for i := 0; i+1 < len(values); i += 2 {
			given[values[i]] = values[i+1]
			flags = append(flags, "--var", values[i]+"="+values[i+1])
		}
		return flags, []planeql.Option{planeql.WithVariables(given)}
	}
	near := badInput{
		name: "placeholder, near", text: "SELECT id FROM %U WHERE %P\nAND name = '{{ sesion }}'",
		code: fault.UndefinedParameter, message: "{{ sesion }} has no value", hint: "did you mean session?", at: "2:13", exit: 2,
	}
	near.flags, near.options = variables("session", "x")
	ends := badInput{
		name: "placeholder that ends its text", text: "SELECT\n$${{ x }}$$", code: fault.InvalidValue,
		message: "could end the text", hint: "single quotes", at: "2:3", exit: 2,
	}
	ends.flags, ends.options = variables("x", "$$; DROP TABLE t; SELECT $$")
	return []badInput{near, ends, {
		name: "placeholder, unfilled", text: "SELECT id FROM %U\nWHERE hostPoolName = '{{ hostPoolName }}'", code: fault.UndefinedParameter,
		message: "{{ hostPoolName }} has no value", hint: "--var 'hostPoolName=…'", at: "2:23", exit: 2,
	}}
}

// refusals has answers by which the service refuses a request.
func refusals() []badInput {
	answers := func(status int, code, message string) func(*http.Request) armsim.Outcome {
		return says(status, code, message)
	}
	rejected := func(name, code string, status int, hint string) badInput {
		return badInput{
			name: name, text: readPool, answer: answers(status, code, "No."), code: fault.Rejected,
			message: fmt.Sprintf("status %d", status), hint: hint, exit: 6, requests: 1,
		}
	}
	const denied = "The client 'a' does not have authorization to perform action 'Microsoft.DesktopVirtualization/hostPools/read' over scope '/subscriptions/s'."
	return []badInput{
		rejected("400", "InvalidFilter", 400, "--log-http"),
		rejected("400 version", "NoRegisteredProviderFound", 400, "version"),
		rejected("405", "MethodNotAllowed", 405, "--log-http"),
		rejected("409", "Conflict", 409, "--log-http"),
		rejected("409 other operation", "AnotherOperationInProgress", 409, "run it again when that is over"),
		rejected("409 registration", "MissingSubscriptionRegistration", 409, "resources.providers.register"),
		rejected("412", "PreconditionFailed", 412, "read it again"),
		{name: "401", text: readPool, answer: answers(401, "InvalidAuthenticationToken", "Expired."), code: fault.Unauthenticated, message: "refused the credential", hint: "planeql auth check azure", exit: 4, requests: 2},
		{name: "403", text: readPool, answer: answers(403, "AuthorizationFailed", denied), code: fault.Forbidden, message: "does not permit", hint: "Microsoft.DesktopVirtualization/hostPools/read", exit: 4, requests: 1},
		{name: "404 of a pool", text: strings.Replace(shorthand.Replace(readPool), "hp-office", "hp-none", 1), code: fault.NotFound, message: "knows no such thing", hint: "check the names", exit: 6, requests: 1},
		{name: "404 of a subscription", text: "SELECT id FROM azure.desktop_virtualization.host_pools WHERE subscriptionId = '00000000-0000-0000-0000-00000000000f'", code: fault.NotFound, message: "knows no such thing", hint: "no such subscription", exit: 6, requests: 1},
		{name: "404 of EXEC", text: disconnect, code: fault.NotFound, message: "knows no such thing", hint: "check the names", exit: 6, requests: 1},
		{name: "302 to elsewhere", text: readPool, answer: says(302, "", "", "Location", "https://login.example.com/"), code: fault.ReplyInvalid, message: "sent the call elsewhere, to login.example.com", hint: "--endpoint", exit: 7, requests: 1},
		{name: "400 by a proxy", text: readPool, answer: body(400, "<html><title>Blocked</title></html>", "text/html"), code: fault.Rejected, message: "status 400", hint: "proxy", exit: 6, requests: 1},
	}
}

// failures has answers by which the service says that it failed.
func failures() []badInput {
	failed := func(status int) badInput {
		return badInput{
			name: fmt.Sprint(status), text: readPool, answer: soon(status, "Trouble"), code: fault.ServiceFailed,
			message: fmt.Sprintf("failed with status %d", status), hint: "run it again later", exit: 7, requests: 5,
		}
	}
	unknown := func(status int) badInput {
		return badInput{
			name: fmt.Sprintf("%d of a POST", status), text: disconnect, answer: soon(status, "Trouble"), code: fault.OutcomeUnknown,
			message: "the outcome is unknown", hint: "look whether it happened", exit: 7, requests: 1,
		}
	}
	throttled := func(name, text string) badInput { // it would be repeated if there were time
		return badInput{
			name: name, text: text, answer: says(429, "TooManyRequests", "Later.", "Retry-After", "90"),
			flags: []string{"--timeout", "60s"}, options: []planeql.Option{planeql.WithTimeout(time.Minute)},
			code: fault.Throttled, message: "throttles", hint: "run it again after", exit: 7, requests: 1,
		}
	}
	return []badInput{
		failed(408), failed(500), failed(502), failed(503), failed(504), unknown(500), unknown(503), unknown(504),
		throttled("429", readPool), throttled("429 of a POST", disconnect),
		{name: "429 beyond patience", text: readPool, answer: says(429, "TooManyRequests", "Later.", "Retry-After", "3600"), code: fault.Throttled, message: "throttles", hint: "run it again after", exit: 7, requests: 1},
	}
}

// badAnswers has successful answers that hold no rows.
func badAnswers() []badInput {
	unreadable := func(name, text, kind, hint string) badInput {
		return badInput{
			name: name, text: readPool, answer: body(200, text, kind), code: fault.ReplyInvalid,
			message: "cannot be read", hint: hint, exit: 7, requests: 1,
		}
	}
	const json = "application/json"
	return []badInput{
		unreadable("a page of HTML", "<!DOCTYPE html><html><body>Sign in</body></html>", "text/html", "sign-in page"),
		unreadable("HTML that calls itself JSON", "<html></html>", json, "sign-in page"),
		unreadable("plain text", "hello", "text/plain", "--log-http"),
		unreadable("XML", "<?xml version='1.0'?><Error/>", "application/xml", ""),
		unreadable("no body", "", json, "--log-http"),
		unreadable("cut JSON", `{"value": [{"id": "/x"`, json, "--log-http"),
		unreadable("a scalar", `"x"`, json, "--log-http"),
		unreadable("no value", `{"items": []}`, json, "--log-http"),
		unreadable("value that is no list", `{"value": 5}`, json, "--log-http"),
		unreadable("text after the JSON", `{"value": []} {"value": []}`, json, "--log-http"),
	}
}

// badLinks has pages whose link to the next one must not be followed.
func badLinks() []badInput {
	link := func(name, message, hint string, requests int, to func(string, int64) string) badInput {
		return badInput{
			name: name, text: readPool, server: page(to), code: fault.ReplyInvalid, message: message, hint: hint, exit: 7, requests: requests,
		}
	}
	endless := link("endless pages", "more than 7 pages", "--max-pages", 7, func(host string, n int64) string { return fmt.Sprintf("http://%s/p?n=%d", host, n) })
	endless.code, endless.exit = fault.LimitReached, 5
	endless.flags, endless.options = []string{"--max-pages", "7"}, []planeql.Option{planeql.WithMaxPages(7)}
	calls := link("too many calls", "more than 3 calls", "--max-calls", 3, func(host string, n int64) string { return fmt.Sprintf("http://%s/p?n=%d", host, n) })
	calls.code, calls.exit = fault.LimitReached, 5
	calls.flags, calls.options = []string{"--max-calls", "3"}, []planeql.Option{planeql.WithMaxCalls(3)}
	return []badInput{
		endless, calls,
		link("link to another host", "to another host, evil.example.com", "credential", 1, func(string, int64) string { return "https://evil.example.com/next" }),
		link("link to another port", "to another host", "credential", 1, func(string, int64) string { return "http://127.0.0.1:1/next" }),
		link("link with a user", "names a user", "not all of them", 1, func(host string, _ int64) string { return "http://user@" + host + "/next" }),
		link("link back to a page", "leads back", "for ever", 2, func(host string, _ int64) string { return "http://" + host + "/same" }),
		link("link that is none", "cannot be read", "", 1, func(string, int64) string { return "http://[::1" }),
	}
}

// noConnections has calls that get no answer.
func noConnections() []badInput {
	broken := func(name, text string, o armsim.Outcome, code fault.Code, message string) badInput {
		return badInput{
			name: name, text: text, answer: func(*http.Request) armsim.Outcome { return o }, code: code,
			message: message, hint: "run", exit: 7, requests: 5,
		}
	}
	lost := broken("EXEC without an answer", disconnect, armsim.Outcome{Reset: true}, fault.OutcomeUnknown, "its outcome is unknown")
	lost.requests, lost.hint = 1, "look whether it happened"
	late := broken("answer that is late", readPool, armsim.Outcome{Delay: time.Hour}, fault.Cancelled, "took longer than 2s")
	late.requests, late.hint = 1, "--timeout"
	late.flags, late.options = []string{"--timeout", "2s"}, []planeql.Option{planeql.WithTimeout(2 * time.Second)}
	same := func(url string) string { return url }
	return []badInput{
		lost, late,
		broken("reset", readPool, armsim.Outcome{Reset: true}, fault.ConnectionLost, "broke"),
		broken("truncated body", readPool, armsim.Outcome{Truncate: true}, fault.ConnectionLost, "broke"),
		{name: "refused connection", text: readPool, server: nobody, code: fault.CannotConnect, message: "no connection to 127.0.0.1", hint: "--endpoint", exit: 7},
		{name: "certificate", text: readPool, server: serverOf((*httptest.Server).StartTLS, same), code: fault.CannotConnect, message: "is not trusted", hint: "--ca-cert", exit: 7},
		{
			name: "TLS to a server without", text: readPool, code: fault.CannotConnect, message: "does not speak TLS", hint: "http://", exit: 7,
			server: serverOf((*httptest.Server).Start, func(url string) string { return strings.Replace(url, "http", "https", 1) }),
		},
	}
}

// guarded has runs that the user's own limits stop.
func guarded() []badInput {
	const two = "DELETE FROM %U WHERE %P AND sessionHostName = 'h' AND userSessionId IN ('3', '4')"
	return []badInput{
		{name: "read-only", text: disconnect, flags: []string{"--read-only"}, options: []planeql.Option{planeql.WithReadOnly()}, code: fault.ReadOnly, message: "the run is read-only", hint: "--dry-run", exit: 5},
		{name: "nobody confirms", text: two, code: fault.ConfirmationNeeded, message: "2 targets", hint: "--yes", exit: 5},
		{
			name: "too many targets", text: two, flags: []string{"--max-targets", "1", "--yes"},
			options: []planeql.Option{planeql.WithMaxTargets(1), planeql.WithYes()}, code: fault.LimitReached, message: "2 targets, more than the 1", hint: "--max-targets 2", exit: 5,
		},
		{
			name: "no credential", text: readPool, flags: []string{"--auth", "azure=bearer,env=NONE"},
			options: []planeql.Option{planeql.WithAuth("azure", "bearer", map[string]string{"env": "NONE"})}, code: fault.NoCredential, message: "no credential for azure", hint: "put a token there", exit: 4,
		},
	}
}
