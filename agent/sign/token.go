package sign

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"

	"github.com/miekg/pkcs11"
)

// module is a token's library, loaded into this process, with a session open. It is not safe for concurrent use.
type module struct {
	ctx     *pkcs11.Ctx
	session pkcs11.SessionHandle
	key     pkcs11.ObjectHandle
	cert    *x509.Certificate
	chain   []*x509.Certificate
}

// load loads the library and opens the token with a PIN, which is given to it once and not kept.
func load(c TokenConfig, pin string) (t *module, err error) {
	if c.Module == "" {
		return nil, failed(NoModule, nil, "No token is set up: name the library of its maker in the configuration (sign.module).")
	}
	if _, err := os.Stat(c.Module); err != nil {
		return nil, failed(NoModule, err, "The token's library is not there: install what its maker ships, or correct sign.module.")
	}
	ctx := pkcs11.New(c.Module)
	if ctx == nil {
		return nil, failed(NoModule, nil, "%s is no library for tokens (PKCS#11): correct sign.module.", c.Module)
	}
	t = &module{ctx: ctx}
	defer func() {
		if err != nil {
			t.close()
			t = nil
		}
	}()
	if err := ctx.Initialize(); err != nil && !is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return t, said(err)
	}
	slot, err := t.slot(c.Slot)
	if err != nil {
		return t, err
	}
	if t.session, err = ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
		return t, said(err)
	}
	if err := ctx.Login(t.session, pkcs11.CKU_USER, pin); err != nil && !is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		return t, said(err)
	}
	return t, t.find(c.Certificate)
}

// close ends the session; the PIN must be given again.
func (t *module) close() {
	if t.session != 0 {
		_ = t.ctx.Logout(t.session)
		_ = t.ctx.CloseSession(t.session)
	}
	_ = t.ctx.Finalize()
	t.ctx.Destroy()
}

func (t *module) slot(want string) (uint, error) {
	slots, err := t.ctx.GetSlotList(true)
	if err != nil {
		return 0, said(err)
	}
	var found []uint
	var labels []string
	for _, s := range slots {
		info, err := t.ctx.GetTokenInfo(s)
		if err != nil || info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		label := strings.TrimRight(info.Label, " \x00")
		labels = append(labels, label)
		if want == "" || want == label || want == strconv.FormatUint(uint64(s), 10) {
			found = append(found, s)
		}
	}
	switch {
	case len(labels) == 0:
		return 0, failed(NoToken, nil, "No token is plugged in: plug it in and try again.")
	case len(found) == 0:
		return 0, failed(NoToken, nil, "The token %q is not plugged in; there is %s.", want, strings.Join(labels, ", "))
	case len(found) > 1:
		return 0, failed(NoToken, nil, "Several tokens are plugged in (%s): leave one, or name it in the configuration (sign.slot).",
			strings.Join(labels, ", "))
	}
	return found[0], nil
}

// objects finds all of a class.
func (t *module) objects(with ...*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := t.ctx.FindObjectsInit(t.session, with); err != nil {
		return nil, said(err)
	}
	var all []pkcs11.ObjectHandle
	for {
		some, _, err := t.ctx.FindObjects(t.session, 64)
		if err != nil {
			return nil, errors.Join(said(err), t.ctx.FindObjectsFinal(t.session))
		}
		if len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	if err := t.ctx.FindObjectsFinal(t.session); err != nil {
		return nil, said(err)
	}
	return all, nil
}

// find chooses the certificate and its key.
func (t *module) find(want string) error {
	handles, err := t.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE))
	if err != nil {
		return err
	}
	id, _ := hex.DecodeString(want)
	matches, names := 0, []string(nil)
	for _, h := range handles {
		a, err := t.ctx.GetAttributeValue(t.session, h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil),
			pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil)})
		if err != nil {
			return said(err)
		}
		cert, err := x509.ParseCertificate(a[0].Value)
		if err != nil {
			continue
		}
		if cert.IsCA {
			t.chain = append(t.chain, cert)
			continue
		}
		keys, err := t.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_ID, a[1].Value))
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			continue
		}
		names = append(names, string(a[2].Value))
		if want == "" || want == string(a[2].Value) || len(id) > 0 && bytes.Equal(id, a[1].Value) {
			t.cert, t.key = cert, keys[0]
			matches++
		}
	}
	switch {
	case len(names) == 0:
		return failed(NoCertificate, nil, "The token has no certificate with a key: ask the authority that issued it.")
	case matches == 0:
		return failed(NoCertificate, nil, "The token has no certificate %q; it has %s.", want, strings.Join(names, ", "))
	case matches > 1:
		return failed(NoCertificate, nil, "The token has several certificates (%s): name one in the configuration (sign.certificate).",
			strings.Join(names, ", "))
	}
	return nil
}

// sign signs a digest by RSA (PKCS #1 v1.5) or ECDSA.
func (t *module) sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	mechanism, input := uint(pkcs11.CKM_ECDSA), digest
	_, isRSA := t.cert.PublicKey.(*rsa.PublicKey)
	if isRSA {
		if hash != crypto.SHA256 {
			return nil, fmt.Errorf("sign: %v is not used here", hash)
		}
		var err error
		mechanism = pkcs11.CKM_RSA_PKCS
		if input, err = asn1.Marshal(struct {
			Algorithm struct {
				OID  asn1.ObjectIdentifier
				Null asn1.RawValue
			}
			Digest []byte
		}{struct {
			OID  asn1.ObjectIdentifier
			Null asn1.RawValue
		}{oidSHA256, asn1.NullRawValue}, digest}); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
	}
	if err := t.ctx.SignInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, t.key); err != nil {
		return nil, said(err)
	}
	value, err := t.ctx.Sign(t.session, input)
	if err != nil {
		return nil, said(err)
	}
	if isRSA {
		return value, nil
	}
	// A token gives r and s side by side; CMS wants them as ASN.1.
	half := len(value) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:])})
}

func is(err error, code uint) bool {
	var e pkcs11.Error
	return errors.As(err, &e) && uint(e) == code
}

// said puts what a token says into words.
func said(err error) error {
	var e pkcs11.Error
	if !errors.As(err, &e) {
		return failed(TokenFault, err, "The token cannot be used: pull it out, plug it in and try again.")
	}
	switch uint(e) {
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_INVALID:
		return failed(WrongPIN, nil, "The PIN is wrong: try again; after a few wrong ones the token locks itself.")
	case pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED:
		return failed(LockedPIN, nil, "The token has locked its PIN: have it unlocked by the authority that issued it.")
	case pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_SLOT_ID_INVALID, pkcs11.CKR_SESSION_HANDLE_INVALID,
		pkcs11.CKR_SESSION_CLOSED:
		return failed(NoToken, nil, "The token was pulled out: plug it in and sign again; nothing was signed by half.")
	case pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_MECHANISM_INVALID:
		return failed(NotForSigning, err, "The key on the token is not for signing documents: plug in the token for signatures.")
	}
	return failed(TokenFault, err, "The token cannot be used: pull it out, plug it in and try again.")
}
