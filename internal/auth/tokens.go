package auth

import (
	"context"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// When a token is renewed: before it ends, so that no call meets its end, and
// not again at once where that fails, since the old one is still good.
const (
	renewBefore = 5 * time.Minute
	renewPause  = 30 * time.Second
)

// tokens keeps one token. Any number of callers that need a new one wait for
// the same request for it.
type tokens struct {
	get func(ctx context.Context, fresh bool, claims string) (azcore.AccessToken, error)
	now func() time.Time

	mu      sync.Mutex
	current azcore.AccessToken
	tried   time.Time // when it was last asked for
	flight  *flight
}

// flight is a request for a token that is under way. It ends early when nobody
// waits for it any more, so that one caller's end does not fail the others.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	token   azcore.AccessToken
	err     error
}

// token gives a token that is good for a while. A refused token is not given
// again unless there is no other.
func (t *tokens) token(ctx context.Context, refused, claims string) (string, error) {
	t.mu.Lock()
	now := t.now()
	fresh := refused != "" && refused == t.current.Token
	good := t.current.Token != "" && now.Before(t.current.ExpiresOn) && !fresh
	if good && (!t.due(now) || t.flight != nil || now.Sub(t.tried) < renewPause) {
		defer t.mu.Unlock()
		return t.current.Token, nil
	}
	old := t.current.Token
	f := t.flight
	if f == nil {
		f = t.start(ctx, fresh, claims)
	}
	f.waiting++
	t.mu.Unlock()
	token, err := t.wait(ctx, f)
	if err != nil && good && ctx.Err() == nil {
		return old, nil
	}
	return token, err
}

// due tells whether the token should be renewed. The sign-in service suggests a
// time for tokens of a long life, so that an outage of it is survived.
func (t *tokens) due(now time.Time) bool {
	renew := t.current.ExpiresOn.Add(-renewBefore)
	if on := t.current.RefreshOn; !on.IsZero() && on.Before(renew) {
		renew = on
	}
	return !now.Before(renew)
}

// start asks for a token; t.mu is held.
func (t *tokens) start(ctx context.Context, fresh bool, claims string) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{done: make(chan struct{}), cancel: cancel}
	t.flight, t.tried = f, t.now()
	go func() {
		defer cancel()
		token, err := t.get(ctx, fresh, claims)
		t.mu.Lock()
		defer t.mu.Unlock()
		f.token, f.err = token, err
		if err == nil {
			t.current = token
		}
		if t.flight == f {
			t.flight = nil
		}
		close(f.done)
	}()
	return f
}

// wait waits for a token, or for the caller's end.
func (t *tokens) wait(ctx context.Context, f *flight) (string, error) {
	select {
	case <-f.done:
		return f.token.Token, f.err
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.waiting--
	if f.waiting == 0 {
		f.cancel()
		if t.flight == f {
			t.flight = nil
		}
	}
	return "", ctx.Err()
}

// keep puts a token in place that was had otherwise.
func (t *tokens) keep(token azcore.AccessToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = token
}
