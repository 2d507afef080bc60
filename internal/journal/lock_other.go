//go:build !unix

package journal

import "os"

// lockShared does nothing: where files cannot be held, none is replaced.
func lockShared(*os.File) error { return nil }

// lockAlone never holds a file.
func lockAlone(*os.File) bool { return false }
