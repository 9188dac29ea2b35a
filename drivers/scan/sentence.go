package scan

// NewFault is a fault with the sentence a technician reads for its code. A driver that knows more (a
// permission, an address) writes its own sentence instead.
func NewFault(device string, code Code, cause error) *Fault {
	sentence, ok := sentences[code]
	if !ok {
		sentence = "The device reported a fault this program does not know. Switch the device off and on; if it comes again, look at the log."
	}
	return &Fault{Code: code, Device: device, Technician: sentence, Err: cause}
}

var sentences = map[Code]string{
	Jammed:      "Paper is stuck in the feeder. Open the feeder, pull the sheet out in the feed direction, close it and scan again.",
	NoDocuments: "The feeder is empty. Lay the sheets in until the feeder takes hold of them, then scan again.",
	CoverOpen:   "A cover is open. Close the lid and the feeder until they click, then scan again.",
	Busy:        "The scanner is in use by another program or still warming up. Close other scan programs and try again in a moment.",
	AccessDenied: "The scanner may not be used by this account. Add the kiosk's user to the group scanner, install the udev rules, and " +
		"plug the scanner in again.",
	IOError:     "Reading from the scanner broke off. Check the USB or network cable and the power supply, then scan again.",
	OutOfMemory: "There was not enough memory for the scan. Lower the resolution or close other programs, then scan again.",
	Unplugged:   "The scanner went away. Check its cable and power; it is used again as soon as it is back.",
	NoDevice: "The scanner was not found. Check its cable and power, and that the device named in the configuration is the one plugged " +
		"in.",
	Unsupported: "The scanner cannot do what was asked of it. Compare source, mode and resolution with what `motcua devices` lists for it.",
	TimedOut:    "The scanner did not answer in time. Switch it off and on, and scan again.",
	Cancelled:   "The scan was stopped at the scanner. Scan again.",
	Insecure:    "No connection that can be trusted is to be had with the scanner. Look at its certificate on its settings page.",
	DoubleFeed:  "Two sheets were drawn in together. Fan the stack, lay it in again, and scan again.",
}
