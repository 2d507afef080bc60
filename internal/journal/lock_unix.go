//go:build unix

package journal

import (
	"os"
	"syscall"
)

// lockShared holds a file together with others that do so, until it is closed.
// A file system without locks has nobody who could hold it alone.
func lockShared(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH); err {
		case nil, syscall.ENOTSUP, syscall.ENOLCK, syscall.ENOSYS:
			return nil
		case syscall.EINTR:
		default:
			return err
		}
	}
}

// lockAlone holds a file that nobody else holds, and tells whether it does.
func lockAlone(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
