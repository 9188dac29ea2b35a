package scan

// Finding is one thing a driver's Check looked at, for `motcua doctor`: what is so and, where it is not
// as it should be, how to mend it in one sentence a technician can act on.
type Finding struct {
	OK   bool
	What string
	Mend string // empty where OK
}
