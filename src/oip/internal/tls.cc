#include "oip/internal/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace hedge::oip {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio open(const std::string& pem) { return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free}; }

// An encrypted key must be an error, not a question on the terminal.
int no_password(char*, int, int, void*) { return 0; }

Certificate read_certificate(const std::string& pem) {
  const Bio bio = open(pem);
  return {PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr), X509_free};
}

Key read_key(const std::string& pem) {
  const Bio bio = open(pem);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free};
}

Error bad(const char* what, const char* where) { return {.code = ErrorCode::kBadFormat, .what = what, .where = where}; }

Status check_parts(const Tls& tls) {
  if (!tls.ca.empty() && !read_certificate(tls.ca)) return bad("not a certificate in PEM", "TLS authority");
  if (tls.certificate.empty()) return {};
  const auto certificate = read_certificate(tls.certificate);
  if (!certificate) return bad("not a certificate in PEM", "TLS certificate");
  const auto key = read_key(tls.key);
  if (!key) return bad("not a private key in PEM, or one with a password", "TLS key");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return Error{.code = ErrorCode::kMismatch, .what = "the key does not belong to the certificate", .where = "TLS key"};
  return {};
}

}  // namespace

Status check_tls(const Tls& tls, bool server) {
  if (tls.certificate.empty() != tls.key.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = tls.key.empty() ? "a certificate without its key" : "a key without its certificate",
                 .where = "TLS"};
  if (server && tls.certificate.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a server needs a certificate and its key", .where = "TLS"};
  auto status = check_parts(tls);
  ERR_clear_error();  // OpenSSL's queue is a thread's: leave nothing for the next reader
  return status;
}

}  // namespace hedge::oip
