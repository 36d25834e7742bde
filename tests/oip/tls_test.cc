// TLS and mutual TLS, with certificates made on the spot.

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hedge/remote.h"
#include "hedge/server.h"
#include "oip/fake_executor.h"

namespace hedge::oip {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kPatience = 20s;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

/// A key with its certificate.
struct Identity {
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  Certificate certificate{X509_new(), X509_free};

  [[nodiscard]] std::string key_pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
  }
  [[nodiscard]] std::string certificate_pem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate.get());
    return text_of(bio);
  }
};

void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself as an authority. Valid from `from_s` to `to_s`, counted from now.
Identity make_identity(const std::string& name, const Identity* issuer, long from_s = -60, long to_s = 3600) {
  static long serial = 1;
  Identity identity;
  X509* x = identity.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x), from_s);
  X509_gmtime_adj(X509_getm_notAfter(x), to_s);
  X509_set_pubkey(x, identity.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer->certificate.get() : x));
  if (issuer) {
    add_extension(x, NID_subject_alt_name, ("DNS:" + name + ",IP:127.0.0.1").c_str());
  } else {
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  }
  X509_sign(x, issuer ? issuer->key.get() : identity.key.get(), EVP_sha256());
  return identity;
}

class TlsTest : public testing::Test {
 protected:
  [[nodiscard]] Tls server_tls(const Identity& identity, bool mutual = false) const {
    return {.ca = mutual ? authority_.certificate_pem() : "", .certificate = identity.certificate_pem(), .key = identity.key_pem()};
  }

  static std::unique_ptr<Server> serve(const Tls& tls) {
    auto server = start_server(fake_models(), {.address = "127.0.0.1:0", .tls = tls});
    if (!server) ADD_FAILURE() << server.error().message();
    return std::move(server).value();
  }

  /// The error of one inference, or none.
  static std::optional<Error> ask(const Server& server, const std::optional<Tls>& tls, const std::string& name = "") {
    const auto remote = connect({.address = local(server.port()), .model = "fake", .tls = tls, .tls_server_name = name});
    if (!remote) return remote.error();
    const auto pixels = Tensor::of<std::uint8_t>({1, 2}, {1, 2});
    const std::vector<NamedView> inputs = {{"pixels", pixels.view()}};
    const auto answer = (*remote)->infer(inputs, {}, kPatience);
    return answer ? std::nullopt : std::optional(answer.error());
  }

  static void expect_unavailable(const std::optional<Error>& error) {
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, ErrorCode::kUnavailable) << error->message();
  }

  static void expect_refused(const std::optional<Error>& error, const char* says) {
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, ErrorCode::kMismatch) << error->message();
    EXPECT_THAT(error->message(), HasSubstr(says));
    EXPECT_FALSE(error->hint.empty());
  }

  Identity authority_ = make_identity("authority", nullptr);
  Identity stranger_ = make_identity("stranger", nullptr);
  Identity server_identity_ = make_identity("cloud.test", &authority_);
};

TEST_F(TlsTest, a_certificate_of_the_authority_is_accepted_by_address_and_by_name) {
  const auto server = serve(server_tls(server_identity_));
  const Tls trust{.ca = authority_.certificate_pem()};
  const auto by_address = ask(*server, trust);
  EXPECT_FALSE(by_address.has_value()) << by_address->message();
  const auto by_name = ask(*server, trust, "cloud.test");
  EXPECT_FALSE(by_name.has_value()) << by_name->message();
}

TEST_F(TlsTest, another_authority_another_name_and_plain_text_are_refused) {
  const auto server = serve(server_tls(server_identity_));
  expect_refused(ask(*server, Tls{.ca = stranger_.certificate_pem()}), "not one to trust");
  expect_refused(ask(*server, Tls{.ca = authority_.certificate_pem()}, "bank.test"), "another name");
  expect_refused(ask(*server, Tls{}), "not one to trust");  // the system's authorities do not know it
  // Plain text to a server with TLS looks like one that is going down.
  const auto plain = ask(*server, std::nullopt);
  expect_unavailable(plain);
  EXPECT_THAT(plain->message(), HasSubstr("--tls"));
}

TEST_F(TlsTest, an_expired_certificate_is_refused) {
  const auto server = serve(server_tls(make_identity("cloud.test", &authority_, -7200, -3600)));
  expect_refused(ask(*server, Tls{.ca = authority_.certificate_pem()}), "expired");
}

TEST_F(TlsTest, tls_to_a_plain_server_is_refused) {
  const auto server = start_server(fake_models(), {.address = "127.0.0.1:0"});
  ASSERT_TRUE(server.ok());
  expect_refused(ask(**server, Tls{.ca = authority_.certificate_pem()}), "does not speak TLS");
}

TEST_F(TlsTest, mutual_tls_lets_in_only_certificates_of_its_authority) {
  const auto server = serve(server_tls(server_identity_, true));
  const auto with = [&](const Identity& identity) {
    return Tls{.ca = authority_.certificate_pem(), .certificate = identity.certificate_pem(), .key = identity.key_pem()};
  };
  const auto known = ask(*server, with(make_identity("edge.test", &authority_)));
  EXPECT_FALSE(known.has_value()) << known->message();
  expect_unavailable(ask(*server, Tls{.ca = authority_.certificate_pem()}));
  expect_unavailable(ask(*server, with(make_identity("edge.test", &stranger_))));
}

TEST_F(TlsTest, bad_pem_is_named_before_anything_starts) {
  const auto code_of = [](const Tls& tls, const char* part) {
    const auto server = start_server(fake_models(), {.address = "127.0.0.1:0", .tls = tls});
    if (server) return ErrorCode::kInternal;
    EXPECT_THAT(server.error().where, HasSubstr(part));
    return server.error().code;
  };
  const Tls good = server_tls(server_identity_, true);
  const auto broken = [&](std::string Tls::*part, const std::string& text) {
    Tls tls = good;
    tls.*part = text;
    return tls;
  };
  EXPECT_EQ(code_of(broken(&Tls::certificate, "no certificate"), "certificate"), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(broken(&Tls::certificate, good.certificate.substr(0, good.certificate.size() / 2)), "certificate"),
            ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(broken(&Tls::key, good.certificate), "key"), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(broken(&Tls::key, stranger_.key_pem()), "key"), ErrorCode::kMismatch);
  EXPECT_EQ(code_of(broken(&Tls::ca, "x"), "authority"), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(broken(&Tls::key, ""), "TLS"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(Tls{}, "TLS"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(connect({.address = "localhost:1", .model = "m", .tls = Tls{.ca = "x"}}).error().code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::oip
