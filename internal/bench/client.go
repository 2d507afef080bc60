package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// The programs of the other side, by the argument that starts them.
const (
	listClient   = "client-list"
	scopesClient = "client-scopes"
	joinClient   = "client-join"
)

// concurrency is how many calls both sides make at once.
const concurrency = 64

// session is a user session as a person who writes a client declares it.
type session struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		UserPrincipalName string    `json:"userPrincipalName"`
		SessionState      string    `json:"sessionState"`
		CreateTime        time.Time `json:"createTime"`
	} `json:"properties"`
}

// pool is a host pool, and subscription a subscription, in the same way.
type pool struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Location string `json:"location"`
}

type subscription struct {
	SubscriptionID string `json:"subscriptionId"`
	State          string `json:"state"`
}

// line is what the client prints of a session, with its pool where it joins.
type line struct {
	Pool              string    `json:"pool,omitempty"`
	Location          string    `json:"location,omitempty"`
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	UserPrincipalName string    `json:"userPrincipalName"`
	SessionState      string    `json:"sessionState"`
	CreateTime        time.Time `json:"createTime"`
}

func (s session) line() line {
	p := s.Properties
	return line{ID: s.ID, Name: s.Name, UserPrincipalName: p.UserPrincipalName, SessionState: p.SessionState, CreateTime: p.CreateTime}
}

// client is the other side: it makes its calls with net/http, follows the pages,
// decodes them with encoding/json and prints JSON lines.
type client struct {
	base string
	http *http.Client

	mutex   sync.Mutex // of what follows
	encoder *json.Encoder
}

// runClient runs one of the programs, so many times one after the other, and
// writes its rows to standard output.
func runClient(ctx context.Context, program, base string, times int) error {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	c := &client{
		base: base, encoder: json.NewEncoder(out),
		http: &http.Client{Transport: &http.Transport{MaxConnsPerHost: concurrency, MaxIdleConnsPerHost: concurrency}},
	}
	for range times {
		if err := c.run(ctx, program); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (c *client) run(ctx context.Context, program string) error {
	switch program {
	case listClient:
		return pages(ctx, c, sessionsPath(poolPath(subscriptionID(0), "pool-0")), c.print)
	case scopesClient:
		return c.scopes(ctx)
	case joinClient:
		return c.join(ctx)
	}
	return fmt.Errorf("no program %q", program)
}

func poolPath(subscription, pool string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/hostPools/" + pool
}

func sessionsPath(pool string) string { return pool + "/userSessions?api-version=2024-04-03" }

func poolsPath(subscription string) string {
	return "/subscriptions/" + subscription + "/providers/Microsoft.DesktopVirtualization/hostPools?api-version=2024-04-03"
}

// print writes sessions.
func (c *client) print(list []session) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, s := range list {
		if err := c.encoder.Encode(s.line()); err != nil {
			return err
		}
	}
	return nil
}

// scopes reads the sessions of all pools of all subscriptions, side by side.
func (c *client) scopes(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	room := make(chan struct{}, concurrency)
	list := func(f func() error) {
		group.Go(func() error {
			room <- struct{}{}
			defer func() { <-room }()
			return f()
		})
	}
	list(func() error {
		return pages(ctx, c, "/subscriptions?api-version=2022-12-01", func(all []subscription) error {
			for _, s := range all {
				list(func() error {
					return pages(ctx, c, poolsPath(s.SubscriptionID), func(all []pool) error {
						for _, p := range all {
							list(func() error { return pages(ctx, c, sessionsPath(p.ID), c.print) })
						}
						return nil
					})
				})
			}
			return nil
		})
	})
	return group.Wait()
}

// join lists the pools of a subscription, reads their sessions side by side and
// joins both by the pool's name.
func (c *client) join(ctx context.Context) error {
	byName := map[string]pool{}
	err := pages(ctx, c, poolsPath(subscriptionID(0)), func(list []pool) error {
		for _, p := range list {
			byName[strings.ToLower(p.Name)] = p
		}
		return nil
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for name, p := range byName {
		group.Go(func() error {
			return pages(ctx, c, sessionsPath(p.ID), func(list []session) error {
				return c.printJoined(name, byName, list)
			})
		})
	}
	return group.Wait()
}

// printJoined writes the sessions of a pool with the row of the pool.
func (c *client) printJoined(name string, byName map[string]pool, list []session) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, s := range list {
		p := byName[name]
		l := s.line()
		l.Pool, l.Location = p.Name, p.Location
		if err := c.encoder.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// pages follows a list and hands each page on.
func pages[T any](ctx context.Context, c *client, path string, each func([]T) error) error {
	for next := c.base + path; next != ""; {
		var page struct {
			Value    []T    `json:"value"`
			NextLink string `json:"nextLink"`
		}
		if err := c.fetch(ctx, next, &page); err != nil {
			return err
		}
		if err := each(page.Value); err != nil {
			return err
		}
		next = page.NextLink
	}
	return nil
}

func (c *client) fetch(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer token")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body) // so that the connection serves again
	return err
}
