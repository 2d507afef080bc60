package armsim

import (
	"io/fs"
	"net/http"
	"slices"
	"time"
)

// Option changes how [New] makes a simulator. Of two options that contradict
// each other the later one holds.
type Option func(*settings)

// settings is what the options add up to; it is not changed after New.
type settings struct {
	seed       int64
	scenario   *Scenario
	documents  fs.FS // nil: the built-in ones
	provider   string
	latency    time.Duration
	faults     Faults
	hook       func(*http.Request) Outcome
	pageSize   int
	tenant     string
	token      func(string) TokenState
	noAuth     bool
	clock      func() time.Time
	throttling bool
	versions   []string
	polls      int
	retryAfter time.Duration

	longRunning []LongRunning
	etags       bool
	policies    []Policy
	softDelete  []string
	stale       Staleness
	reuse       bool
}

// defaults gives the settings of a simulator without options.
func defaults() settings {
	return settings{
		seed: 1, scenario: smallEstate(),
		tenant: DefaultTenant, clock: time.Now,
		token: func(string) TokenState { return TokenAccepted },
		polls: 1, retryAfter: time.Second,
	}
}

// with adds what a scenario says of behaviour. Options go before it.
func (s settings) with(sc *Scenario) settings {
	s.etags = s.etags || sc.ETags
	s.reuse = s.reuse || sc.ReuseSessions
	s.longRunning = append(slices.Clone(sc.LongRunning), s.longRunning...)
	s.policies = append(slices.Clone(sc.Policies), s.policies...)
	s.softDelete = append(slices.Clone(sc.SoftDelete), s.softDelete...)
	if s.stale == (Staleness{}) {
		s.stale = sc.StaleReads
	}
	return s
}

// TokenState is what the simulator makes of a bearer token.
type TokenState int

// The states of a token. All but TokenAccepted answer 401, each with the error
// code that Azure Resource Manager uses for it.
const (
	TokenAccepted    TokenState = iota
	TokenExpired                // ExpiredAuthenticationToken
	TokenInvalid                // InvalidAuthenticationToken
	TokenOtherTenant            // InvalidAuthenticationTokenTenant
)

// Estate names one of the built-in estates.
type Estate int

// The built-in estates.
const (
	// Empty has the tenant and nothing in it.
	Empty Estate = iota
	// Small has two subscriptions, three resource groups, four host pools,
	// twelve session hosts and about 120 user sessions.
	Small
	// Large has five subscriptions, 60 host pools, 600 session hosts and
	// 20,000 user sessions.
	Large
	// Tour has a little of all that goes wrong in an estate: old images, hosts
	// that were forgotten in drain mode, machines that are gone, idle desktops,
	// tokens about to expire. Its file, tour.yaml, shows what a scenario can say.
	Tour
	// Maintenance has one host pool of 50 session hosts and 1,000 user sessions: a
	// night's work.
	Maintenance
)

// WithSeed sets the seed from which names, identifiers and faults follow. The
// default is 1.
func WithSeed(seed int64) Option { return func(s *settings) { s.seed = seed } }

// WithEstate chooses a built-in estate. The default is Small.
func WithEstate(e Estate) Option {
	return func(s *settings) {
		switch e {
		case Small:
			s.scenario = smallEstate()
		case Large:
			s.scenario = largeEstate()
		case Tour:
			s.scenario = tourEstate()
		case Maintenance:
			s.scenario = maintenanceEstate()
		default:
			s.scenario = &Scenario{}
		}
	}
}

// WithScenario builds the estate that the scenario describes; see [Scenario].
// A nil scenario is an empty estate.
func WithScenario(sc *Scenario) Option {
	return func(s *settings) {
		if sc == nil {
			sc = &Scenario{}
		}
		s.scenario = sc
	}
}

// WithDocuments takes the provider documents from another file system than the
// embedded one; provider names the folder.
func WithDocuments(fsys fs.FS, provider string) Option {
	return func(s *settings) { s.documents, s.provider = fsys, provider }
}

// WithLatency delays each answer.
func WithLatency(d time.Duration) Option { return func(s *settings) { s.latency = d } }

// WithFaults injects faults; see [Faults] and [ParseFaults].
func WithFaults(f Faults) Option { return func(s *settings) { s.faults = f } }

// WithHook asks the function about each request before it is served. The
// function may read the body. It is called from the request's goroutine, thus
// from several at once.
func WithHook(hook func(*http.Request) Outcome) Option { return func(s *settings) { s.hook = hook } }

// WithPageSize sets the page size of every list. Without it user sessions come
// by 100, other lists of Azure Virtual Desktop by 200, as users of the service
// report, and the rest by 1,000; a request's own pageSize or $top wins up to
// 1,000. With it they win where they are smaller.
func WithPageSize(n int) Option { return func(s *settings) { s.pageSize = max(n, 0) } }

// WithTenant sets the id of the tenant.
func WithTenant(id string) Option { return func(s *settings) { s.tenant = id } }

// WithToken decides about bearer tokens. Without it any token that is not empty
// is accepted.
func WithToken(judge func(token string) TokenState) Option {
	return func(s *settings) { s.token = judge }
}

// WithoutAuth serves requests that carry no token.
func WithoutAuth() Option { return func(s *settings) { s.noAuth = true } }

// WithClock takes the time from the function instead of the system.
func WithClock(now func() time.Time) Option { return func(s *settings) { s.clock = now } }

// WithThrottling enforces the token buckets that Azure Resource Manager has for
// each subscription: 250 reads refilled with 25 a second, 200 writes and 200
// deletes refilled with 10. Beyond them requests get 429 with Retry-After.
// Without it the headers that tell the rest of a bucket always show a fresh one.
func WithThrottling(on bool) Option { return func(s *settings) { s.throttling = on } }

// WithAPIVersions accepts further api-versions for every resource type, beside
// the one of its document and a list of versions known to be served.
func WithAPIVersions(versions ...string) Option {
	return func(s *settings) { s.versions = append(s.versions, versions...) }
}

// WithOperations sets how long-running operations go: how many polls say
// InProgress before one says Succeeded, and the Retry-After of each answer, in
// milliseconds where it is less than a second. The default is 1 and one second.
// An operation that nobody polls ends by itself after (polls + 1) times
// retryAfter, taken as a second where it is less; without polls and wait it ends
// at once.
func WithOperations(polls int, retryAfter time.Duration) Option {
	return func(s *settings) { s.polls, s.retryAfter = max(polls, 0), retryAfter }
}

// WithSessionReuse gives the number of a session that was logged off to another
// user at once, as a busy host may: whoever logs off the same number again, ends
// the work of somebody else.
func WithSessionReuse() Option { return func(s *settings) { s.reuse = true } }

// WithETags gives an etag to everything whose type has one by its contract. Without it
// Azure Virtual Desktop has none, as recorded; machines always have one.
func WithETags() Option { return func(s *settings) { s.etags = true } }
