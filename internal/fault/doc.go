// Package fault holds the one error type of planeql, [Error]: every message a
// user can see is one. A fault is built where the facts are, by a constructor
// named after its meaning, and carries a code that clients match on, the
// position in the user's own text, what to do next and, for calls, the
// service's own answer. Layers above add the object or the position they know;
// they never rebuild a message from text.
//
// The package refuses to print colours or to decide what is fatal: the command
// line does. Start reading at [Error]; the printed form is in print.go.
package fault
