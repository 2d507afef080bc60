package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// issuer gives numbered tokens that are good for an hour.
type issuer struct {
	mu     sync.Mutex
	calls  int
	fresh  []bool
	claims []string
	delay  time.Duration
	fails  error
	early  time.Duration // RefreshOn after this; zero: not set
}

func (i *issuer) get(ctx context.Context, fresh bool, claims string) (azcore.AccessToken, error) {
	i.mu.Lock()
	i.calls++
	n, fails := i.calls, i.fails
	i.fresh, i.claims = append(i.fresh, fresh), append(i.claims, claims)
	i.mu.Unlock()
	select {
	case <-time.After(i.delay):
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
	if fails != nil {
		return azcore.AccessToken{}, fails
	}
	token := azcore.AccessToken{Token: fmt.Sprint("token", n), ExpiresOn: time.Now().Add(time.Hour)}
	if i.early > 0 {
		token.RefreshOn = time.Now().Add(i.early)
	}
	return token, nil
}

func keeper(i *issuer) *tokens { return &tokens{get: i.get, now: time.Now} }

func want(t *testing.T, k *tokens, refused, token string) {
	t.Helper()
	got, err := k.token(t.Context(), refused, "")
	if err != nil || got != token {
		t.Fatalf("%q, %v, want %q", got, err, token)
	}
}

func TestTokens_life(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		k := keeper(i)
		want(t, k, "", "token1")
		want(t, k, "", "token1")
		time.Sleep(54 * time.Minute)
		want(t, k, "", "token1")
		time.Sleep(2 * time.Minute)
		want(t, k, "", "token2")
		if i.calls != 2 {
			t.Errorf("%d requests", i.calls)
		}
	})
}

func TestTokens_refreshOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeper(&issuer{early: 20 * time.Minute})
		want(t, k, "", "token1")
		time.Sleep(21 * time.Minute)
		want(t, k, "", "token2")
	})
}

// TestTokens_earlyFailure keeps the old token while it is good, and does not
// ask again at once.
func TestTokens_earlyFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{}
		k := keeper(i)
		want(t, k, "", "token1")
		i.fails = errors.New("down")
		time.Sleep(56 * time.Minute)
		for range 10 {
			want(t, k, "", "token1")
		}
		time.Sleep(31 * time.Second)
		want(t, k, "", "token1")
		if i.calls != 3 {
			t.Errorf("%d requests, want 3", i.calls)
		}
		time.Sleep(5 * time.Minute)
		if _, err := k.token(t.Context(), "", ""); err == nil {
			t.Error("a token that has ended is given")
		}
	})
}

// TestTokens_oneRequest lets many callers wait for the same request.
func TestTokens_oneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: time.Second}
		k := keeper(i)
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { want(t, k, "", "token1") })
		}
		group.Wait()
		for range 50 {
			group.Go(func() { want(t, k, "token1", "token2") })
		}
		group.Wait()
		want(t, k, "token1", "token2")
		if i.calls != 2 || i.fresh[0] || !i.fresh[1] {
			t.Errorf("%d requests, fresh %v", i.calls, i.fresh)
		}
	})
}

// TestTokens_cancel ends the request when nobody waits any more, and only then.
func TestTokens_cancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{delay: 10 * time.Second}
		k := keeper(i)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := k.token(short, "", ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		group.Go(func() { want(t, k, "", "token1") })
		group.Wait()
		alone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.token(alone, "token1", "c"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		synctest.Wait()
		want(t, k, "", "token1")
		want(t, k, "token1", "token3")
		if i.claims[1] != "c" {
			t.Errorf("claims %q", i.claims)
		}
	})
}
