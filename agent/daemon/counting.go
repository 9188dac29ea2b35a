package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"iter"
	"net"
	"os"
	"syscall"

	"motcua/agent/metrics"
	"motcua/agent/station"
	"motcua/drivers/scan"
	"motcua/queue"
	"motcua/queue/line"
)

// The causes of deliveries that failed, as a technician would part them.
const (
	causeHeld        = "held"        // the hub refused it for good
	causeBusy        = "busy"        // the hub asked to wait
	causeCertificate = "certificate" // its, or ours
	causeName        = "name"        // the hub's name is not known
	causeUnreachable = "unreachable" // nobody listens, no way there
	causeTimeout     = "timeout"     // the line stood still
	causeOther       = "other"
)

// cause says why a delivery failed.
func cause(err error) string {
	var (
		dns     *net.DNSError
		auth    *tls.CertificateVerificationError
		x509Err x509.UnknownAuthorityError
		alert   tls.AlertError
		timeout net.Error
	)
	_, asked := queue.RetryDelay(err)
	switch {
	case queue.IsPermanent(err):
		return causeHeld
	case errors.As(err, &auth), errors.As(err, &x509Err), errors.As(err, &alert):
		return causeCertificate
	case errors.As(err, &dns):
		return causeName
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return causeUnreachable
	case errors.Is(err, line.ErrStalled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return causeTimeout
	case asked:
		return causeBusy
	}
	return causeOther
}

// hubSink is what all ways out are.
type hubSink interface {
	queue.Sink
	queue.Hub
	queue.Described
}

// countedSink counts deliveries that failed.
type countedSink struct {
	hubSink
	figures *metrics.Metrics
}

// counting counts what fails at a sink; nil stays nil.
func counting(s queue.Sink, figures *metrics.Metrics) queue.Sink {
	if full, ok := s.(hubSink); ok {
		return countedSink{full, figures}
	}
	return s
}

// Deliver delivers and counts.
func (c countedSink) Deliver(ctx context.Context, s queue.Submission, b queue.Bundle, n queue.Notes) error {
	err := c.hubSink.Deliver(ctx, s, b, n)
	if err != nil && ctx.Err() == nil {
		c.figures.DeliveryFailed(cause(err))
	}
	return err
}

// Prepares says what the sink says.
func (c countedSink) Prepares() bool {
	p, ok := c.hubSink.(queue.Preparing)
	return ok && p.Prepares()
}

// countedScanner counts scans that ended with a fault.
type countedScanner struct {
	station.Scanner
	figures *metrics.Metrics
}

// Scan feeds sheets and counts a fault.
func (c countedScanner) Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		for page, err := range c.Scanner.Scan(ctx, s) {
			var fault *scan.Fault
			if errors.As(err, &fault) {
				c.figures.ScannerFailed(string(fault.Code))
			}
			if !yield(page, err) {
				return
			}
		}
	}
}
