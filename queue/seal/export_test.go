package seal

// StartTPM is for tests of what is built on this package.
var StartTPM = startTPM

// Measure writes into a register of a chip, as a changed boot loader would.
var Measure = measure
