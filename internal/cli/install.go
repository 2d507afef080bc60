package cli

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/registry"
)

// location is where the registry is.
func (a *app) location() string {
	if strings.Contains(a.settings.registry, "://") {
		return a.settings.registry
	}
	return a.env.path(a.settings.registry)
}

// withRegistry gives a session its registry.
func (a *app) withRegistry() (planeql.Option, error) {
	if a.settings.registryKey == "" {
		return planeql.WithRegistry(a.location(), nil), nil
	}
	keys, err := os.ReadFile(a.env.path(a.settings.registryKey))
	if err != nil {
		return nil, unreadable(a.settings.registryKey, err)
	}
	return planeql.WithRegistry(a.location(), keys), nil
}

// registry gives the registry of --registry.
func (a *app) registry() (*registry.Registry, error) {
	var pool *x509.CertPool
	if a.settings.caCert != "" {
		var err error
		if pool, err = a.certificates(); err != nil {
			return nil, err
		}
	}
	return registry.Open(registry.Options{Location: a.location(), Getenv: a.env.Getenv, RootCAs: pool})
}

// folder gives the folder of installed providers to look at.
func (a *app) folder() registry.Folder { return registry.Folder{Path: a.providersFolder()} }

// target gives the folder of installed providers to install into: what is
// installed is compiled, so that its first use is as quick as the second.
func (a *app) target() (registry.Folder, error) {
	f := a.folder()
	if f.Path == "" {
		return f, fault.New(fault.InvalidFlag, "there is no folder for providers").
			WithHint("--providers DIR names one; without a home folder there is no default")
	}
	f.Prepare = func(p *provider.Provider) error {
		a.compile(p)
		return nil
	}
	if a.settings.registryKey == "" {
		return f, nil
	}
	text, err := os.ReadFile(a.env.path(a.settings.registryKey))
	if err != nil {
		return f, unreadable(a.settings.registryKey, err)
	}
	f.Keys, err = registry.ParseKeys(text)
	return f, err
}

// compile compiles a provider and warns of services that cannot be read: they
// do not keep the others from being used.
func (a *app) compile(p *provider.Provider) {
	done := 0
	catalog.Compile(p, func(service string, err error) {
		done++
		if err != nil {
			a.say("%s.%s cannot be used: %s", p.Name, service, fault.From(err).Message)
		} else if done%50 == 0 {
			a.say("%s: %d of %d services compiled", p.Name, done, len(p.Services))
		}
	})
}

// lockFile is the lock file of the working folder.
func (a *app) lockFile() string { return filepath.Join(a.env.WorkDir, registry.LockName) }

// wanted reads NAME[@VERSION] arguments; with --locked and without arguments,
// all that the lock file names.
func (a *app) wanted(args []string, lock registry.Lock) ([][2]string, error) {
	if a.settings.locked && lock == nil {
		return nil, fault.New(fault.InvalidFlag, "--locked: there is no %s in this folder", registry.LockName).
			WithHint("planeql provider pull NAME --lock writes one")
	}
	if len(args) == 0 && a.settings.locked {
		args = lock.Names()
	}
	if len(args) == 0 {
		return nil, fault.New(fault.InvalidFlag, "pull takes the names of providers").
			WithHint("planeql provider list --available shows what the registry has")
	}
	var list [][2]string
	for _, arg := range args {
		name, version, _ := strings.Cut(arg, "@")
		if _, known := lock[name]; a.settings.locked && !known {
			return nil, fault.New(fault.InvalidFlag, "--locked: %s does not name the provider %q", registry.LockName, name).
				WithHint("it names %s", strings.Join(lock.Names(), ", "))
		}
		list = append(list, [2]string{name, version})
	}
	return list, nil
}

func (a *app) pullProviders(ctx context.Context, args []string) error {
	lock, err := registry.ReadLock(a.lockFile())
	if err != nil {
		return err
	}
	wanted, err := a.wanted(args, lock)
	if err != nil {
		return err
	}
	from, err := a.registry()
	if err != nil {
		return err
	}
	to, err := a.target()
	if err != nil {
		return err
	}
	ctx, release := a.signals.guard(ctx)
	defer release()
	var list []registry.Installed
	for _, w := range wanted {
		held := lock
		if !a.settings.locked {
			held = nil
		}
		i, err := to.Pull(ctx, from, w[0], w[1], held)
		if err != nil {
			return told(ctx, err)
		}
		list = append(list, i)
	}
	if !a.settings.locked && (lock != nil || a.settings.lock) {
		if err := a.writeLock(lock, list); err != nil {
			return err
		}
	}
	return a.printInstalled(list)
}

// writeLock brings the lock file up to date.
func (a *app) writeLock(lock registry.Lock, list []registry.Installed) error {
	if lock == nil {
		lock = registry.Lock{}
	}
	for _, i := range list {
		lock[i.Name] = registry.Locked{Version: i.Version, SHA256: i.SHA256}
	}
	return lock.Write(a.lockFile())
}

// printInstalled lists what was installed.
func (a *app) printInstalled(list []registry.Installed) error {
	l := &listing{columns: []string{"name", "version", "source", "signature", "sha256"}}
	for _, i := range list {
		l.rows = append(l.rows, []any{i.Name, i.Version, i.Source, i.Signature, i.SHA256})
	}
	return a.print(l)
}

func (a *app) addProvider(_ context.Context, args []string) error {
	to, err := a.target()
	if err != nil {
		return err
	}
	list, err := to.Add(a.env.path(args[0]))
	if err != nil {
		return err
	}
	return a.printInstalled(list)
}

func (a *app) removeProvider(_ context.Context, args []string) error {
	name, version, _ := strings.Cut(args[0], "@")
	gone, err := a.folder().Remove(name, version)
	if err != nil {
		return err
	}
	l := &listing{columns: []string{"name", "version"}}
	for _, v := range gone {
		l.rows = append(l.rows, []any{name, v})
	}
	return a.print(l)
}
