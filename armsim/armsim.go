package armsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Simulator answers as Azure Resource Manager. It is safe for concurrent use.
type Simulator struct {
	settings settings
	routes   *router
	faults   *faultPlan
	buckets  *buckets

	// state guards store, power, tokens and operations: reads of a listing
	// share it, anything that changes an object holds it alone.
	state      sync.RWMutex
	store      *store
	stale      *staleReads // what reads see instead of what is there; nil: nothing
	deleted    map[string]deletion
	ids        *identifiers
	versions   map[string]uint64 // how often what has an etag was written, by key
	power      map[string]string // power state by the key of a virtual machine
	tokens     map[string]registration
	operations map[string]*operation // by id, those that have ended too
	running    map[string]*operation // by the resource that they change
	due        atomic.Int64          // when the next operation ends by itself, as Unix nanoseconds; 0: none
	watched    atomic.Int64          // how many running operations are polled by reading the resource

	log     requestLog
	lamport atomic.Int64 // the version counter that AVD sends with each answer
	counter atomic.Uint64
}

// Request is one request that the simulator has been sent, with what it
// answered. It belongs to the caller.
type Request struct {
	Method   string
	Path     string     // decoded
	RawPath  string     // as it was sent, still encoded
	Query    url.Values // decoded
	RawQuery string     // as it was sent
	Header   http.Header
	Body     []byte
	Status   int // 0: the connection was broken on purpose, or the answer is still under way
	At       time.Time

	// Done says that a write was carried out, or begun, whether or not the caller
	// has heard of it: what is listed twice as done has happened twice.
	Done      bool
	RequestID string // what the answer says as x-ms-request-id
	Operation string // id of the long-running operation that was begun or polled
}

// Message is a message that sendMessage put on the screen of an active session.
type Message struct {
	Session string // id of the user session, as the service writes it
	User    string // user principal name of the session
	Title   string
	Body    string
	At      time.Time
}

// New makes a simulator over the built-in documents, with the small estate
// unless an option says otherwise. The error is a *fault.Error: a document that
// cannot be read, or a scenario that contradicts itself.
func New(opts ...Option) (*Simulator, error) {
	set := defaults()
	for _, opt := range opts {
		opt(&set)
	}
	set = set.with(set.scenario)
	routes, err := loadRoutes(set)
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		settings: set, routes: routes,
		faults: newFaultPlan(set.faults, set.seed), buckets: newBuckets(),
		store: newStore(), ids: newIdentifiers(set.seed),
		versions: map[string]uint64{}, power: map[string]string{}, tokens: map[string]registration{}, operations: map[string]*operation{},
		running: map[string]*operation{}, deleted: map[string]deletion{},
	}
	s.lamport.Store(firstLamport)
	if err := s.build(set.scenario); err != nil {
		return nil, err
	}
	s.stale = newStaleReads(set.stale, set.clock)
	s.store.stale = s.stale
	return s, nil
}

// firstLamport is where the version counter of AVD starts; recorded services
// answer with numbers of this size.
const firstLamport = 212363532

// logged is how many requests are remembered; older ones are forgotten, so
// that a simulator can run for days.
const logged = 200_000

// requestLog keeps the requests and the messages for inspection. It has its own
// lock since requests are noted outside that of the state.
type requestLog struct {
	mu       sync.Mutex
	requests []*Request
	messages []Message
}

// add notes a request at its arrival, before it is served: a request that hangs
// or is broken off is on the list as well.
func (l *requestLog) add(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.requests) >= logged {
		l.requests = append(l.requests[:0], l.requests[logged/2:]...)
	}
	l.requests = append(l.requests, r)
}

// note writes into an entry. It is shared with the list, hence the lock.
func (l *requestLog) note(write func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	write()
}

// deliver notes a message that reached a screen.
func (l *requestLog) deliver(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, m)
}

// Requests gives the requests in the order in which they arrived, without the
// Authorization header. Of very long runs it gives the last hundred thousand.
func (s *Simulator) Requests() []Request {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	list := make([]Request, len(s.log.requests))
	for i, r := range s.log.requests {
		list[i] = *r
	}
	return list
}

// ResetRequests forgets the requests and the messages so far; the state of the
// resources stays.
func (s *Simulator) ResetRequests() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.requests, s.log.messages = nil, nil
}

// Messages gives the messages that users have seen, in order. What was sent to
// a session that was not active is not among them: the service answers 200 and
// shows nothing.
func (s *Simulator) Messages() []Message {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return append([]Message(nil), s.log.messages...)
}

// Put stores an object under an ARM id, replacing what is there. The object is
// anything that encodes as a JSON object; id, name and type are completed,
// everything else is taken as it is, without the checks of an HTTP PUT. A
// subscription and a resource group that are missing are made; other parents
// may be missing.
func (s *Simulator) Put(id string, object any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("put %s: %w", id, err)
	}
	doc, err := decodeObject(text)
	if err != nil {
		return fmt.Errorf("put %s: the object does not encode as a JSON object: %w", id, err)
	}
	t, ok := parsePath(strings.TrimSuffix(id, "/"))
	if !ok || t.collection() {
		return fmt.Errorf("put %s: that is not the id of a resource", id)
	}
	s.state.Lock()
	defer s.state.Unlock()
	defer s.stale.pause()()
	s.ensureScope(t)
	s.keep(s.identify(t, doc), doc)
	return nil
}

// Object gives a copy of the object with the ARM id, compared without case.
// Numbers are json.Number.
func (s *Simulator) Object(id string) (map[string]any, bool) {
	s.state.RLock()
	defer s.state.RUnlock()
	obj := s.store.get(keyOf(id))
	if obj == nil {
		return nil, false
	}
	doc, err := decodeObject(obj.raw)
	return doc, err == nil
}

// Remove deletes the object with the ARM id and all below it, and says whether
// it was there.
func (s *Simulator) Remove(id string) bool {
	s.state.Lock()
	defer s.state.Unlock()
	defer s.stale.pause()()
	return s.store.remove(keyOf(id))
}

// decodeObject reads a JSON object; numbers keep their text.
func decodeObject(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	if doc == nil {
		return nil, fmt.Errorf("null is no object")
	}
	return doc, nil
}
