package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeql/planeql/internal/auth"
	"github.com/planeql/planeql/internal/fault"
)

// secrets is where auth set keeps secrets.
func (a *app) secrets() auth.Store {
	s := auth.Store{Getenv: a.env.Getenv}
	if folder := a.env.folder("XDG_CONFIG_HOME", ".config"); folder != "" {
		s.File = filepath.Join(folder, "secrets.json")
	}
	return s
}

// secretNames gives the secrets that a command is about: the one that is named,
// or all that signing in to the provider takes.
func (a *app) secretNames(ctx context.Context, args []string) (provider string, names []string, err error) {
	session, done, err := a.open(ctx)
	if err != nil {
		return "", nil, err
	}
	defer done()
	names, err = session.Secrets(args[0])
	if len(args) == 2 && (err == nil || fault.As(err).Code == fault.InvalidFlag) {
		names, err = args[1:], nil
	}
	return args[0], names, err
}

func (a *app) authSet(ctx context.Context, args []string) error {
	provider, names, err := a.secretNames(ctx, args)
	if err != nil {
		return err
	}
	store := a.secrets()
	keep := store.Set
	if a.settings.secretsIn == "file" {
		if keep = store.SetFile; store.File == "" {
			return fault.New(fault.InvalidFlag, "there is no home folder to keep a file in").WithHint("set XDG_CONFIG_HOME or HOME")
		}
	}
	in := bufio.NewReader(a.env.Stdin)
	for _, name := range names {
		value, err := a.askFor(in, provider, name)
		if err == nil {
			err = keep(provider, name, value)
		}
		if err != nil {
			return err
		}
		where := "the keyring"
		if a.settings.secretsIn == "file" {
			where = store.File
		}
		a.say("%s of %s is kept in %s", name, provider, where)
	}
	return nil
}

// askFor gets a secret from a person, or a line of standard input.
func (a *app) askFor(in *bufio.Reader, provider, name string) (string, error) {
	var line string
	var err error
	if a.env.Terminal.In && a.env.Terminal.Err && a.env.AskSecret != nil {
		line, err = a.env.AskSecret(fmt.Sprintf("%s of %s: ", name, provider))
	} else if line, err = in.ReadString('\n'); errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	if errors.Is(err, io.EOF) && a.env.Terminal.In {
		return "", errInterrupted
	}
	if value := strings.TrimSpace(line); value != "" && err == nil {
		return value, nil
	}
	return "", fault.New(fault.InvalidFlag, "there is no value for %s", name).
		WithHint("type it, or send it: printenv %s | planeql auth set %s %s", name, provider, name)
}

func (a *app) authRemove(ctx context.Context, args []string) error {
	provider, names, err := a.secretNames(ctx, args)
	if err != nil {
		return err
	}
	for _, name := range names {
		found, err := a.secrets().Remove(provider, name)
		if err != nil {
			return err
		}
		if found {
			a.say("%s of %s is forgotten", name, provider)
		} else {
			a.say("%s of %s was not kept", name, provider)
		}
	}
	return nil
}

// oneOrTwoArguments refuses other numbers of arguments.
func oneOrTwoArguments(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 || len(args) == 2 {
			return nil
		}
		return oneArgument(what)(c, args)
	}
}
