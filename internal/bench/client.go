package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	clientMode   = "client"
	subscription = "8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01"
	listPath     = "/subscriptions/" + subscription + "/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/hostPools/pool/userSessions"
)

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

// line is what the client prints of a session.
type line struct {
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	UserPrincipalName string    `json:"userPrincipalName"`
	SessionState      string    `json:"sessionState"`
	CreateTime        time.Time `json:"createTime"`
}

// client is the other side: it follows the pages with net/http, decodes them
// with encoding/json and prints the same five members as JSON lines.
func client(ctx context.Context, base string, w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	encoder := json.NewEncoder(out)
	next := base + listPath + "?api-version=2024-04-03"
	for next != "" {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, next, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer token")
		page, err := fetch(request)
		if err != nil {
			return err
		}
		for _, s := range page.Value {
			p := s.Properties
			if err := encoder.Encode(line{s.ID, s.Name, p.UserPrincipalName, p.SessionState, p.CreateTime}); err != nil {
				return err
			}
		}
		next = page.NextLink
	}
	return out.Flush()
}

// page is an answer of the list.
type page struct {
	Value    []session `json:"value"`
	NextLink string    `json:"nextLink"`
}

func fetch(request *http.Request) (page, error) {
	var p page
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return p, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return p, fmt.Errorf("status %d", response.StatusCode)
	}
	return p, json.NewDecoder(response.Body).Decode(&p)
}

// pages serves a list whose pages were made beforehand, so that serving costs
// next to nothing.
type pages struct {
	bodies   [][]byte // without their next links
	wait     time.Duration
	answered atomic.Int64
}

func newPages(count, size int, wait time.Duration) *pages {
	p := &pages{wait: wait}
	for i := range count {
		body := []byte(`{"value":[`)
		for j := range size {
			if j > 0 {
				body = append(body, ',')
			}
			body = appendSession(body, i*size+j)
		}
		p.bodies = append(p.bodies, append(body, ']'))
	}
	return p
}

// appendSession adds a session in the form and the size that the service has.
func appendSession(body []byte, n int) []byte {
	host := n / 20
	return fmt.Appendf(body, `{"id":"/subscriptions/%s/resourcegroups/rg/providers/Microsoft.DesktopVirtualization/hostpools/pool/sessionhosts/host-%d.contoso.com/usersessions/%d",`+
		`"name":"pool/host-%d.contoso.com/%d","type":"Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions","systemData":null,`+
		`"properties":{"objectId":"00000000-0000-0000-0000-%012d","userPrincipalName":"user%d@contoso.com","applicationType":"Desktop",`+
		`"sessionState":"%s","activeDirectoryUserName":"CONTOSO\\user%d","createTime":"2026-01-02T03:04:%02d.1861466Z"}}`,
		subscription, host, n%20+2, host, n%20+2, n, n, []string{"Active", "Disconnected", "Active", "Pending"}[n%4], n, n%60)
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken")) // none: the first page
	if n < 0 || n >= len(p.bodies) {
		http.Error(w, `{"error":{"code":"BadRequest","message":"no such page"}}`, http.StatusBadRequest)
		return
	}
	time.Sleep(p.wait)
	link := "null"
	if n+1 < len(p.bodies) {
		link = fmt.Sprintf(`"http://%s%s?api-version=2024-04-03&$skiptoken=%d"`, r.Host, (&url.URL{Path: r.URL.Path}).String(), n+1)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	p.answered.Add(1)
	_, _ = w.Write(p.bodies[n]) // a client that is gone needs no answer
	_, _ = fmt.Fprintf(w, `,"nextLink":%s}`, link)
}
