package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// flagTable is every flag of the program, in the order in which help lists
// them. The names are an interface that scripts rely on.
var flagTable = []flag{
	{
		name: "output", short: "o", value: "FORMAT", place: onAll, choices: render.Names,
		help: "format of the rows: " + strings.Join(render.Names(), ", ") + " (default table)",
		set: func(s *settings, text string) (err error) {
			s.output, err = render.ParseFormat(text)
			return err
		},
	},
	{
		name: "errors", value: "FORM", place: onAll, choices: errorForms,
		help: "form of errors and warnings: text, or json with one object a line (default text)",
		set: func(s *settings, text string) (err error) {
			text, err = choice(text, errorForms())
			s.errors = render.ErrorFormat(text)
			return err
		},
	},
	{
		name: "quiet", short: "q", kind: toggle, place: onAll,
		help: "no progress and no footer; errors and warnings stay",
		set:  boolean(func(s *settings) *bool { return &s.quiet }),
	},
	{
		name: "config", value: "FILE", place: onAll, local: true,
		help: "settings file (default ./planeql.yaml, else planeql/planeql.yaml below ~/.config)",
		set:  text(func(s *settings) *string { return &s.config }),
	},
	{
		name: "file", short: "f", kind: several, value: "FILE", place: onExec, local: true,
		help: "read statements from a file, - is standard input; may be given several times",
		set:  added(func(s *settings) *[]string { return &s.files }),
	},
	{
		name: "keep-going", kind: toggle, place: onExec,
		help: "go on after a statement that fails, as ON ERROR CONTINUE does",
		set:  boolean(func(s *settings) *bool { return &s.keepGoing }),
	},
	{
		name: "endpoint", kind: several, value: "PROVIDER=URL", place: onSession,
		help: "send a provider's calls to another address, such as the simulator's",
		set:  setEndpoint,
	},
	{
		name: "auth", kind: several, value: "PROVIDER=KIND[,k=v]", place: onSession,
		help: "how to sign in: bearer, api_key, basic, custom, oauth2, aws, google, gcloud, none; for azure default, cli, env, msi, workload, devicecode, browser, certificate; or StackQL's JSON",
		set:  setAuth,
	},
	{
		name: "var", kind: several, value: "NAME=VALUE", place: onSession,
		help: "fill {{ NAME }} in the statements",
		set:  setVariable,
	},
	{
		name: "vars", kind: several, value: "FILE", place: onSession,
		help: "fill placeholders from a JSON or YAML file of names and values",
		set:  added(func(s *settings) *[]string { return &s.varFiles }),
	},
	{
		name: "env-vars", kind: toggle, place: onSession,
		help: "fill placeholders from environment variables too",
		set:  boolean(func(s *settings) *bool { return &s.envVars }),
	},
	{
		name: "dry-run", kind: toggle, place: onSession,
		help: "print the requests that writes would send, and send none",
		set:  boolean(func(s *settings) *bool { return &s.dryRun }),
	},
	{
		name: "yes", short: "y", kind: toggle, place: onSession,
		help: "do not ask before a write on several targets",
		set:  boolean(func(s *settings) *bool { return &s.yes }),
	},
	{
		name: "read-only", kind: toggle, place: onSession,
		help: "refuse every statement that would change something",
		set:  boolean(func(s *settings) *bool { return &s.readOnly }),
	},
	{
		name: "max-targets", value: "N", place: onSession,
		help: "refuse a write on more targets",
		set:  number(func(s *settings) *int { return &s.maxTargets }),
	},
	{
		name: "max-pages", value: "N", place: onSession,
		help: "fail rather than read more pages of one list",
		set:  number(func(s *settings) *int { return &s.maxPages }),
	},
	{
		name: "max-calls", value: "N", place: onSession,
		help: "fail rather than make more calls for one statement",
		set:  number(func(s *settings) *int { return &s.maxCalls }),
	},
	{
		name: "on-error", value: "fail|skip", place: onSession, choices: onErrorChoices,
		help: "a call of a SELECT that fails: fail the statement, or skip its rows with a warning and exit code 3 (default fail)",
		set: func(s *settings, text string) (err error) {
			s.onError, err = choice(text, onErrorChoices())
			return err
		},
	},
	{
		name: "timeout", value: "DURATION", place: onSession,
		help: "end a statement that takes longer, such as 30s or 5m",
		set:  duration(func(s *settings) *time.Duration { return &s.timeout }),
	},
	{
		name: "wait", value: "DURATION", place: onSession,
		help: "wait at most so long for a long-running operation of a write, such as 10m; it goes on all the same",
		set:  duration(func(s *settings) *time.Duration { return &s.wait }),
	},
	{
		name: "concurrency", value: "N", place: onSession,
		help: "make at most so many calls side by side (default 64)",
		set:  number(func(s *settings) *int { return &s.concurrency }),
	},
	{
		name: "scope", value: "SUBSCRIPTION,…", place: onSession,
		help: "look in these subscriptions where a statement does not say: ids, names with * and ?, tag:NAME=VALUE, or mg:NAME, a management group (default all that are enabled)",
		set: func(s *settings, text string) error {
			s.scope = nil
			for pattern := range strings.SplitSeq(text, ",") {
				if pattern = strings.TrimSpace(pattern); pattern != "" {
					s.scope = append(s.scope, pattern)
				}
			}
			return nil
		},
	},
	{
		name: "no-cache", kind: toggle, place: onSession,
		help: "look for places anew for each statement, rather than keep what was found for five minutes",
		set:  boolean(func(s *settings) *bool { return &s.noCache }),
	},
	{
		name: "db", value: "FILE", place: onSession,
		help: "keep tables and views in a DuckDB file",
		set:  text(func(s *settings) *string { return &s.database }),
	},
	{
		name: "log-http", value: "FILE", place: onSession,
		help: "write every request and answer to a file, secrets masked; - is standard error",
		set:  text(func(s *settings) *string { return &s.httpLog }),
	},
	{
		name: "journal", value: "FILE", place: onSession,
		help: "keep long-running operations in a file, to wait for them later (default planeql/operations.jsonl below ~/.local/state)",
		set:  text(func(s *settings) *string { return &s.journal }),
	},
	{
		name: "audit", value: "FILE", place: onSession,
		help: "add a line to a file before and after every write; where that is not possible nothing is called",
		set:  text(func(s *settings) *string { return &s.audit }),
	},
	{
		name: "ca-cert", value: "FILE", place: onSession,
		help: "trust the certificates of a PEM file too, such as the simulator's",
		set:  text(func(s *settings) *string { return &s.caCert }),
	},
	{
		name: "fail-if-rows", kind: toggle, place: onExec,
		help: "exit with code 8 if a query gives rows",
		set:  boolean(func(s *settings) *bool { return &s.failIfRows }),
	},
	{
		name: "fail-if-empty", kind: toggle, place: onExec,
		help: "exit with code 8 if a query gives no rows",
		set:  boolean(func(s *settings) *bool { return &s.failIfEmpty }),
	},
	{
		name: "fail-if-changes", kind: toggle, place: onPlan,
		help: "exit with code 8 if something is not as stated",
		set:  boolean(func(s *settings) *bool { return &s.failIfChanges }),
	},
	{
		name: "in", value: "keyring|file", place: onSecrets, local: true, choices: secretPlaces,
		help: "where the secrets are kept: the system's keyring, or a file that only you can read (default keyring)",
		set: func(s *settings, text string) (err error) {
			s.secretsIn, err = choice(text, secretPlaces())
			return err
		},
	},
	{
		name: "providers", value: "DIR", place: onSession | onProviders,
		help: "folder of installed providers (default planeql/providers below ~/.local/share)",
		set:  text(func(s *settings) *string { return &s.providers }),
	},
	{
		name: "provider", kind: several, value: "NAME@VERSION", place: onSession | onShow,
		help: "use this version of an installed provider and nothing built in of it; azure@built-in: the other way round",
		set:  setProvider,
	},
	{
		name: "registry", value: "URL|DIR", place: onList | onPull | onSession,
		help: "where providers are pulled from: a URL, or a folder with dist or src (default the published registry)",
		set:  text(func(s *settings) *string { return &s.registry }),
	},
	{
		name: "registry-key", value: "FILE", place: onPull | onSession,
		help: "refuse documents that no Ed25519 key or certificate of this PEM file has signed",
		set:  text(func(s *settings) *string { return &s.registryKey }),
	},
	{
		name: "available", kind: toggle, place: onList, local: true,
		help: "list what the registry has",
		set:  boolean(func(s *settings) *bool { return &s.available }),
	},
	{
		name: "problems", kind: toggle, place: onShow, local: true,
		help: "list what is wrong in the documents, with file and line",
		set:  boolean(func(s *settings) *bool { return &s.problems }),
	},
	{
		name: "lock", kind: toggle, place: onPull, local: true,
		help: "write version and checksum to planeql.lock, also where there is none",
		set:  boolean(func(s *settings) *bool { return &s.lock }),
	},
	{
		name: "locked", kind: toggle, place: onPull, local: true,
		help: "install what planeql.lock names and nothing else",
		set:  boolean(func(s *settings) *bool { return &s.locked }),
	},
	{
		name: "out", value: "FOLDER", place: onBuild, local: true,
		help: "the folder of providers to write to; other services of the provider there stay",
		set:  text(func(s *settings) *string { return &s.build.out }),
	},
	{
		name: "name", value: "PROVIDER", place: onBuild, local: true,
		help: "the name of the provider (default azure for the resource manager, else the service's)",
		set:  text(func(s *settings) *string { return &s.build.provider }),
	},
	{
		name: "service", value: "SERVICE", place: onBuild, local: true,
		help: "the name of the service (default from the paths' namespace or the title)",
		set:  text(func(s *settings) *string { return &s.build.service }),
	},
	{
		name: "check", kind: toggle, place: onBuild, local: true,
		help: "list what could not be mapped, and write nothing",
		set:  boolean(func(s *settings) *bool { return &s.build.check }),
	},
	{
		name: "addr", value: "HOST:PORT", place: onSim, local: true,
		help: "where to listen; port 0 is any free one (default 127.0.0.1:0)",
		set:  text(func(s *settings) *string { return &s.sim.addr }),
	},
	{
		name: "tls-cert", value: "FILE", place: onSim, local: true,
		help: "speak TLS with a certificate made now, and write it to the file for clients to trust",
		set:  text(func(s *settings) *string { return &s.sim.certFile }),
	},
	{
		name: "estate", value: "NAME|FILE", place: onSim, local: true, choices: estateNames,
		help: "what there is: small, large, tour, maintenance, empty, or a scenario file (default small)",
		set:  text(func(s *settings) *string { return &s.sim.estate }),
	},
	{
		name: "faults", value: "KIND=RATE,…", place: onSim, local: true,
		help: "what goes wrong, such as 429=5%:2s,503=2%,deny=SUBSCRIPTION",
		set:  text(func(s *settings) *string { return &s.sim.faults }),
	},
	{
		name: "long-running", value: "RULE;…", place: onSim, local: true,
		help: "how writes run, such as type=Microsoft.Compute/virtualMachines,style=aao,polls=3,end=failed",
		set:  text(func(s *settings) *string { return &s.sim.longRunning }),
	},
	{
		name: "behaviour", value: "WORD[=VALUE],…", place: onSim, local: true,
		help: "what stands against writes, such as location=westeurope,tag=owner,deny=TYPE,soft-delete=TYPE,reuse-sessions",
		set:  text(func(s *settings) *string { return &s.sim.behaviour }),
	},
	{
		name: "stale-reads", value: "N|DURATION", place: onSim, local: true,
		help: "how many reads, or how long, are behind a write, such as 2 or 3s",
		set:  setStaleReads,
	},
	{
		name: "etags", kind: toggle, place: onSim, local: true,
		help: "give an etag to everything whose type has one, not to machines alone",
		set:  boolean(func(s *settings) *bool { return &s.sim.etags }),
	},
	{
		name: "latency", value: "DURATION", place: onSim, local: true,
		help: "how long each answer takes, such as 50ms",
		set:  duration(func(s *settings) *time.Duration { return &s.sim.latency }),
	},
	{
		name: "page-size", value: "N", place: onSim, local: true,
		help: "items on a page of a list",
		set:  number(func(s *settings) *int { return &s.sim.pageSize }),
	},
	{
		name: "seed", value: "N", place: onSim, local: true,
		help: "names, identifiers and faults follow from it (default 1)",
		set: func(s *settings, text string) error {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fault.New(fault.InvalidFlag, "%q is no whole number", text)
			}
			s.sim.seed = n
			return nil
		},
	},
}

// setStaleReads reads a number of reads or a duration.
func setStaleReads(s *settings, text string) error {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		s.sim.stale = armsim.Staleness{Reads: n}
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fault.New(fault.InvalidFlag, "%q is neither a number of reads nor a duration", text).WithHint("write 2 or 3s")
	}
	s.sim.stale = armsim.Staleness{For: d}
	return nil
}

func errorForms() []string     { return []string{string(render.ErrorText), string(render.ErrorJSON)} }
func secretPlaces() []string   { return []string{"keyring", "file"} }
func onErrorChoices() []string { return []string{"fail", "skip"} }
func estateNames() []string    { return []string{"small", "large", "tour", "maintenance", "empty"} }

func text(field func(*settings) *string) func(*settings, string) error {
	return func(s *settings, text string) error {
		if text == "" {
			return fault.New(fault.InvalidFlag, "the value is empty")
		}
		*field(s) = text
		return nil
	}
}

func added(field func(*settings) *[]string) func(*settings, string) error {
	return func(s *settings, text string) error {
		if text == "" {
			return fault.New(fault.InvalidFlag, "the value is empty")
		}
		*field(s) = append(*field(s), text)
		return nil
	}
}

func boolean(field func(*settings) *bool) func(*settings, string) error {
	return func(s *settings, text string) error {
		on, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return fault.New(fault.InvalidFlag, "%q is neither true nor false", text)
		}
		*field(s) = on
		return nil
	}
}

// number takes whole numbers from 1: none of our limits has a use for 0, and
// whoever writes it may mean none or all.
func number(field func(*settings) *int) func(*settings, string) error {
	return func(s *settings, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fault.New(fault.InvalidFlag, "%q is no whole number above 0", text)
		}
		*field(s) = n
		return nil
	}
}

func duration(field func(*settings) *time.Duration) func(*settings, string) error {
	return func(s *settings, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fault.New(fault.InvalidFlag, "%q is no duration", text).WithHint("durations are written 500ms, 30s, 5m or 1h30m")
		}
		*field(s) = d
		return nil
	}
}

func choice(text string, choices []string) (string, error) {
	for _, c := range choices {
		if c == text {
			return c, nil
		}
	}
	all := "it is one of " + strings.Join(choices, ", ")
	return "", fault.New(fault.InvalidFlag, "%q is not a choice", text).WithHint("%s", fault.DidYouMean(text, choices, all))
}
