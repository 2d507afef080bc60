package exec

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"sync"
	"testing"

	"github.com/planeql/planeql/internal/rest"
)

// callOfPages makes a shared call with so many pages of a size, which ends with
// an error if there is one.
func callOfPages(pages, size int, end error) (c *shared, fetched *int) {
	fetched = new(int)
	next, stop := iter.Pull2(func(yield func(rest.Page, error) bool) {
		for i := range pages {
			*fetched++
			page := rest.Page{Items: [][]byte{[]byte(strconv.Itoa(i))}, Bytes: size, Last: i == pages-1 && end == nil}
			if !yield(page, nil) {
				return
			}
		}
		if end != nil {
			yield(rest.Page{}, end)
		}
	})
	return &shared{next: next, stop: stop, readers: 1}, fetched
}

// readAll gives the first items of the pages that a reader sees.
func readAll(ctx context.Context, c *shared) (text string, err error) {
	for number := 0; ; number++ {
		page, err, ok := c.page(ctx, number)
		if !ok || err != nil {
			return text, err
		}
		text += string(page.Items[0])
	}
}

// Readers at the same time see all pages in order, and each is fetched once.
func TestShared_readers(t *testing.T) {
	c, fetched := callOfPages(10, 1, nil)
	defer c.stop()
	var readers sync.WaitGroup
	for range 8 {
		if !c.join() {
			t.Fatal("the call cannot be joined")
		}
		readers.Go(func() {
			if text, err := readAll(t.Context(), c); text != "0123456789" || err != nil {
				t.Errorf("%s, %v", text, err)
			}
		})
	}
	readers.Wait()
	if *fetched != 10 {
		t.Errorf("%d pages are fetched", *fetched)
	}
	if pages, bytes, ok := c.whole(); len(pages) != 10 || bytes != 10 || !ok {
		t.Errorf("whole: %d pages, %d bytes, %v", len(pages), bytes, ok)
	}
}

// An error ends the call for every reader, behind the pages before it.
func TestShared_error(t *testing.T) {
	broken := errors.New("broken")
	c, _ := callOfPages(3, 1, broken)
	defer c.stop()
	for range 2 {
		if text, err := readAll(t.Context(), c); text != "012" || !errors.Is(err, broken) {
			t.Errorf("%s, %v", text, err)
		}
	}
	if _, _, ok := c.whole(); ok {
		t.Error("a broken call counts as whole")
	}
}

// A call that is too much to keep goes to its one reader; whoever comes later
// has to make it again.
func TestShared_large(t *testing.T) {
	c, _ := callOfPages(9, sharedBytes/3, nil)
	defer c.stop()
	if text, err := readAll(t.Context(), c); text != "012345678" || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	if c.join() {
		t.Error("a reader joins a call whose pages are gone")
	}
	if len(c.pages) > 0 {
		t.Errorf("%d pages are kept", len(c.pages))
	}
}

// A reader whose time is over does not wait for another one's fetch.
func TestShared_cancel(t *testing.T) {
	c, _ := callOfPages(1, 1, nil)
	defer c.stop()
	c.busy = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readAll(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
