// Package metrics gives figures to a monitoring system by Prometheus' text format. In go the queue's
// counters and what happens in the daemon; out comes an http.Handler. It promises that no label and no
// name holds personal data: labels are states, codes of procedures and channels only.
package metrics

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"motcua/ocr"
	"motcua/queue"
	"motcua/queue/line"
)

// Queue is what is asked for counters; *queue.Queue is one.
type Queue interface {
	Stats() (queue.Stats, error)
}

// Metrics is one daemon's set of figures.
type Metrics struct {
	registry *prometheus.Registry
	accepted *prometheus.CounterVec
	pages    *prometheus.CounterVec
	reading  prometheus.Histogram

	values     *prometheus.CounterVec
	faults     *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	answered   *prometheus.CounterVec
	unanswered *prometheus.CounterVec
	heard      prometheus.Gauge
}

// New registers everything.
func New(q Queue, version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "motcua_submissions_accepted_total", Help: "Submissions accepted since the start.",
		}, []string{"procedure", "channel"}),
		pages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "motcua_pages_read_total", Help: "Pages recognised since the start, by the outcome: ok or the code of the problem.",
		}, []string{"outcome"}),
		reading: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "motcua_reading_seconds", Help: "Time to recognise one file.", Buckets: []float64{.1, .2, .4, .8, 1.6, 3.2, 6.4, 12.8},
		}),
		values:     counter("motcua_values_read_total", "Values that were recognised, by whether a person has to look at them.", "review"),
		faults:     counter("motcua_scanner_faults_total", "Scans that ended with a fault, by its code.", "code"),
		deliveries: counter("motcua_delivery_failures_total", "Tries to deliver a submission that failed, by cause.", "cause"),
		answered:   counter("motcua_answers_taken_total", "Answers of the office that said something new, by the state they tell.", "state"),
		unanswered: counter("motcua_answers_failures_total", "Tries to take answers that failed, by cause.", "cause"),
		heard: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "motcua_answers_heard_seconds", Help: "When the office's desk was heard last, in seconds since 1970; 0 if never, or not asked.",
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "motcua_build_info", Help: "Always 1; the label says which build runs.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry.MustRegister(
		info, m.accepted, m.pages, m.reading, &backlog{q},
		m.values, m.faults, m.deliveries, m.answered, m.unanswered, m.heard,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func counter(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

// Watch adds a figure for each certificate: the moment it ends. It is asked anew at every scrape.
func (m *Metrics) Watch(certificates func() []line.Certificate) {
	m.registry.MustRegister(ends(certificates))
}

type ends func() []line.Certificate

var endsDesc = prometheus.NewDesc("motcua_certificate_ends_seconds",
	"When a certificate ends, in seconds since 1970; 0 if it can't be read.", []string{"whose"}, nil)

func (ends) Describe(out chan<- *prometheus.Desc) { out <- endsDesc }

func (list ends) Collect(out chan<- prometheus.Metric) {
	first := map[string]float64{}
	for _, c := range list() {
		at := 0.0
		if c.Err == nil {
			at = float64(c.Ends.Unix())
		}
		if was, ok := first[c.What]; !ok || at < was {
			first[c.What] = at
		}
	}
	for whose, at := range first {
		out <- prometheus.MustNewConstMetric(endsDesc, prometheus.GaugeValue, at, whose)
	}
}

// Handler serves the figures.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Accepted counts a submission.
func (m *Metrics) Accepted(s queue.Submission) {
	m.accepted.WithLabelValues(s.Labels["procedure"], s.Labels["channel"]).Inc()
}

// Read counts one recognised file.
func (m *Metrics) Read(r ocr.Result) {
	outcome := "ok"
	if r.Problem != nil {
		outcome = r.Problem.Code
	}
	m.pages.WithLabelValues(outcome).Add(float64(max(r.Pages, 1)))
	m.reading.Observe((time.Duration(r.ElapsedMS) * time.Millisecond).Seconds())
	for _, d := range r.Documents {
		for _, f := range d.Fields {
			m.values.WithLabelValues(strconv.FormatBool(f.Review)).Inc()
		}
	}
}

// ScannerFailed counts a scan's fault by its code.
func (m *Metrics) ScannerFailed(code string) { m.faults.WithLabelValues(code).Inc() }

// DeliveryFailed counts a try that failed, by one of the causes of package daemon.
func (m *Metrics) DeliveryFailed(cause string) { m.deliveries.WithLabelValues(cause).Inc() }

// Answered counts an answer of the office by its state.
func (m *Metrics) Answered(state string) { m.answered.WithLabelValues(state).Inc() }

// AnswerFailed counts a try to take answers that failed.
func (m *Metrics) AnswerFailed(cause string) { m.unanswered.WithLabelValues(cause).Inc() }

// AnswersHeard notes that the desk itself answered.
func (m *Metrics) AnswersHeard(at time.Time) { m.heard.Set(float64(at.Unix())) }

// Answers adds how many dossiers are known, by the state that the office told; "" for those that it did not answer yet.
func (m *Metrics) Answers(count func() map[string]int) { m.registry.MustRegister(dossiers(count)) }

type dossiers func() map[string]int

var dossiersDesc = prometheus.NewDesc("motcua_dossiers", "Dossiers known here, by the office's state; waiting where it has not answered.",
	[]string{"state"}, nil)

func (dossiers) Describe(out chan<- *prometheus.Desc) { out <- dossiersDesc }

func (count dossiers) Collect(out chan<- prometheus.Metric) {
	for state, n := range count() {
		out <- prometheus.MustNewConstMetric(dossiersDesc, prometheus.GaugeValue, float64(n), cmp.Or(state, "waiting"))
	}
}

// backlog asks the queue when it is scraped.
type backlog struct{ queue Queue }

var (
	countDesc  = prometheus.NewDesc("motcua_queue_submissions", "Submissions in the queue's records, by state.", []string{"state"}, nil)
	bytesDesc  = prometheus.NewDesc("motcua_queue_bytes", "Bytes on the disk, by state.", []string{"state"}, nil)
	oldestDesc = prometheus.NewDesc("motcua_queue_oldest_seconds", "Age of the oldest submission that waits; 0 if none does.", nil, nil)
	pausedDesc = prometheus.NewDesc("motcua_queue_paused", "1 while the hub is not tried because it did not answer.", nil, nil)
	freeDesc   = prometheus.NewDesc("motcua_disk_free_bytes", "Bytes free on the disk of the queue.", nil, nil)
	foundDesc  = prometheus.NewDesc("motcua_queue_found", "Blobs that were set aside and wait for a person (motcua queue found).", nil, nil)
	lockedDesc = prometheus.NewDesc("motcua_queue_read_only", "1 while the disk can't be written: nothing is accepted or sent.", nil, nil)
	upDesc     = prometheus.NewDesc("motcua_queue_up", "1 if the queue answered.", nil, nil)
)

func (b *backlog) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{countDesc, bytesDesc, oldestDesc, pausedDesc, freeDesc, foundDesc, lockedDesc, upDesc} {
		out <- d
	}
}

func (b *backlog) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	stats, err := b.queue.Stats()
	if err != nil {
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
	for _, state := range queue.States {
		gauge(countDesc, float64(stats.Count[state]), string(state))
		gauge(bytesDesc, float64(stats.Bytes[state]), string(state))
	}
	age := 0.0
	if !stats.Oldest.IsZero() {
		age = time.Since(stats.Oldest).Seconds()
	}
	gauge(oldestDesc, age)
	paused := 0.0
	if stats.Paused.After(time.Now()) {
		paused = 1
	}
	gauge(pausedDesc, paused)
	gauge(freeDesc, float64(stats.Free))
	gauge(foundDesc, float64(stats.Found))
	locked := 0.0
	if stats.ReadOnly != "" {
		locked = 1
	}
	gauge(lockedDesc, locked)
}
