package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"
)

// latency measures 200 scopes of a service that answers after 50 ms, against
// the least time: that of the waves of calls, one level after the other.
func (b *bench) latency(ctx context.Context) ([]row, error) {
	const wait = 50 * time.Millisecond
	server := httptest.NewServer(newService(10, 20, 1, 10, wait))
	defer server.Close()
	c, err := pair(ctx, 5, b.everySession(server.URL, 2000), b.client(scopesClient, server.URL, 2000))
	if err != nil {
		return nil, err
	}
	text := "SELECT " + columns + fromSessions
	s, err := pair(ctx, 3, b.session(server.URL, 2000, text), b.repeated(scopesClient, server.URL, 2000))
	if err != nil {
		return nil, err
	}
	ideal := wait * time.Duration(waves(1)+waves(10)+waves(200))
	return []row{
		against("200 scopes at 50 ms, against the ideal of 1 + 1 + 4 waves of calls", c.one.wall, ideal),
		c.against("  against a concurrent Go client", 1.2),
		against(fmt.Sprintf("  %d times in one session, against the ideal", repeats), s.one.wall, repeats*ideal),
		s.against("  against a concurrent Go client that does it as often", 1.2),
	}, nil
}

// against is the row of a time that may be 1.2 times the ideal.
func against(what string, took, ideal time.Duration) row {
	ratio := took.Seconds() / ideal.Seconds()
	return row{what, show(took), show(ideal), times(ratio), "≤ 1.2", ratio <= 1.2}
}

// waves gives how often calls have to be made side by side.
func waves(calls int) int { return (calls + concurrency - 1) / concurrency }

// everySession is the statement that has to find its scopes.
func (b *bench) everySession(url string, rows int) program {
	return b.statement(url, rows, "SELECT "+columns+fromSessions)
}

// scopes measures 20,000 rows of 200 scopes that have to be found.
func (b *bench) scopes(ctx context.Context) ([]row, error) {
	server := httptest.NewServer(newService(10, 20, 1, 100, 0))
	defer server.Close()
	c, err := pair(ctx, 11, b.everySession(server.URL, 20000), b.client(scopesClient, server.URL, 20000))
	if err != nil {
		return nil, err
	}
	return []row{c.against("20,000 rows of 200 scopes, against a concurrent Go client", 1.2)}, nil
}

// join measures a join of 100 host pools with the sessions of each: 20,000 rows
// from a service that answers at once, and 1,000 from one that takes 50 ms.
func (b *bench) join(ctx context.Context) ([]row, error) {
	const inSession = "  %d times in one session, against a client that does it as often"
	atOnce, atOnceOften, err := b.joined(ctx, 11, 200, 0)
	if err != nil {
		return nil, err
	}
	later, laterOften, err := b.joined(ctx, 5, 10, 50*time.Millisecond)
	if err != nil {
		return nil, err
	}
	return []row{
		atOnce.against("join of 100 host pools with their 20,000 sessions, against a concurrent Go client", 1.2),
		atOnceOften.against(fmt.Sprintf(inSession, repeats), 1.2),
		later.against("the same with 1,000 sessions, at 50 ms", 1.2),
		laterOften.against(fmt.Sprintf(inSession, repeats), 1.2),
	}, nil
}

// joined compares the join where each pool has so many sessions, in a process of
// its own and, second, several times in one session.
func (b *bench) joined(ctx context.Context, rounds, sessions int, wait time.Duration) (once, often compared, err error) {
	const pools = 100
	server := httptest.NewServer(newService(1, pools, 1, sessions, wait))
	defer server.Close()
	text := "SELECT p.name AS pool, p.location, s.id, s.name, s.userPrincipalName, s.sessionState, s.createTime " +
		"FROM azure.desktop_virtualization.host_pools p JOIN azure.desktop_virtualization.user_sessions s " +
		"ON s.hostPoolName = p.name AND s.resourceGroupName = p.resourceGroupName AND s.subscriptionId = p.subscriptionId " +
		"WHERE p.subscriptionId = '" + subscriptionID(0) + "'"
	rows := pools * sessions
	once, err = pair(ctx, rounds, b.statement(server.URL, rows, text), b.client(joinClient, server.URL, rows))
	if err != nil {
		return once, often, err
	}
	often, err = pair(ctx, 3, b.session(server.URL, rows, text), b.repeated(joinClient, server.URL, rows))
	return once, often, err
}

// limit counts the calls of a LIMIT that few rows of each page pass the filter
// of: 5 of 100 rows, so that two pages would do.
func (b *bench) limit(ctx context.Context) ([]row, error) {
	service := newService(10, 20, 10, 100, 5*time.Millisecond)
	server := httptest.NewServer(service)
	defer server.Close()
	const all, enough = 1 + 10 + 200*10, 1 + 1 + 2
	text := "SELECT " + columns + fromSessions + "WHERE userPrincipalName LIKE '%7@contoso.com' AND sessionState = 'Disconnected' LIMIT 10"
	if _, err := b.statement(server.URL, 10, text).run(ctx); err != nil {
		return nil, err
	}
	calls := service.calls.Load()
	return []row{{
		fmt.Sprintf("calls of LIMIT 10 behind a filter, of %d; %d at least", all, enough), fmt.Sprint(calls), fmt.Sprint(enough),
		times(float64(calls) / enough), "≤ 5 times the least", calls <= 5*enough,
	}}, nil
}

// throttled measures how much of what a service allows is used: 650 calls of
// which 250 may be made at once and 25 more every second.
func (b *bench) throttled(ctx context.Context) ([]row, error) {
	const pools = 649
	service := newService(1, pools, 1, 10, 20*time.Millisecond)
	service.limit = &allowance{burst: 250, perSecond: 25}
	server := httptest.NewServer(service)
	defer server.Close()
	text := "SELECT " + columns + fromSessions + "WHERE subscriptionId = '" + subscriptionID(0) + "'"
	if _, err := b.statement(server.URL, pools*10, text).run(ctx); err != nil {
		return nil, err
	}
	least, span := service.limit.least(1+pools), service.limit.span()
	used := least.Seconds() / span.Seconds()
	calls, refused := service.calls.Load(), service.refused.Load()
	share := float64(refused) / float64(calls)
	return []row{
		{"650 calls to a service that allows 250 and 25 a second, against the least time", show(span), show(least), times(span.Seconds() / least.Seconds()),
			"≥ 90 % of the rate", used >= 0.9},
		{"  calls refused", fmt.Sprint(refused), fmt.Sprint(calls), fmt.Sprintf("%.2f %%", 100*share), "< 1 %", share < 0.01},
	}, nil
}
