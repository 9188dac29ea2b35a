package station

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"motcua/agent/doctor"
	"motcua/drivers/lds"
)

// signersFolder, inside the folder of CSCA certificates, holds those who may sign master lists.
const signersFolder = "signers"

// authorities reads a folder of CSCA certificates in all the forms that they are handed out in: PEM, DER, master lists and
// LDIF. left names what could not be taken; it never stops the kiosk, since a chip that cannot be checked is told as that.
func authorities(dir string) (trusted []*lds.Certificate, left []error) {
	if dir == "" {
		return nil, nil
	}
	var pinned []*lds.Certificate
	signers := filepath.Join(dir, signersFolder)
	if _, err := os.Stat(signers); err == nil {
		pinned, left = certificates(signers, func(data []byte) ([]*lds.Certificate, []error, error) { return lds.ParseAuthorities(data, nil) })
	}
	all, more := certificates(dir, func(data []byte) ([]*lds.Certificate, []error, error) { return lds.ParseAuthorities(data, pinned) })
	return all, append(left, more...)
}

// certificates reads the files of one folder and of those in it, but for that of the signers.
func certificates(dir string, parse func([]byte) ([]*lds.Certificate, []error, error)) (all []*lds.Certificate, left []error) {
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			left = append(left, err)
			return nil
		case e.IsDir() && name != dir && e.Name() == signersFolder:
			return fs.SkipDir
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			left = append(left, err)
			return nil
		}
		found, problems, err := parse(data)
		for _, p := range append(problems, err) {
			if p != nil {
				left = append(left, fmt.Errorf("%s: %w", filepath.Base(name), p))
			}
		}
		all = append(all, found...)
		return nil
	})
	if err != nil {
		left = append(left, err)
	}
	return all, left
}

// checkAuthorities says whether chips can be checked.
func checkAuthorities(dir string) (findings []doctor.Finding) {
	if dir == "" {
		return []doctor.Finding{doctor.Doubt("no CSCA certificate is configured: what chips say is shown as not checked",
			"put the state's certificates into a folder and name it as readers.csca")}
	}
	all, left := authorities(dir)
	for _, problem := range left {
		findings = append(findings, doctor.Doubt(fmt.Sprintf("left out of the CSCA certificates: %v", problem),
			"get the file anew from whom it came, or delete it"))
	}
	if len(all) == 0 {
		return append(findings, doctor.Bad("no CSCA certificate can be read in "+dir,
			"put the state's certificates there (PEM, DER, .ml or LDIF)"))
	}
	return append(findings, doctor.Good("%d CSCA certificates are trusted for chips", len(all)))
}
