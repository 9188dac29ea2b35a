package screen

import "time"

// InquiryStays is how long what was asked about can be looked at without a sign of life.
const InquiryStays = 90 * time.Second

// Inquired notes that somebody at this screen knew code and year of birth of a submission's dossier.
func (s *Session) Inquired(submission string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.askedUntil = submission, now.Add(InquiryStays)
}

// Inquiry is what was asked about last, as long as somebody looks at it; "" then.
func (s *Session) Inquiry(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == "" || !now.Before(s.askedUntil) {
		s.asked = ""
		return ""
	}
	s.askedUntil = now.Add(InquiryStays)
	return s.asked
}

// ForgetInquiry ends it.
func (s *Session) ForgetInquiry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = ""
}
