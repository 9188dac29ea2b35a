package seal

// StartTPM is for tests of what is built on this package.
var StartTPM = startTPM
