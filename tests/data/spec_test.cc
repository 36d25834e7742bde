#include "data/spec.h"

#include <gtest/gtest.h>

namespace hedge::data {
namespace {

TEST(Spec, canonical_form_always_names_the_split) {
  EXPECT_EQ(to_string(parse_spec("fashion-mnist").value()), "fashion-mnist?split=all");
  EXPECT_EQ(to_string(parse_spec("folder:a/b//?limit=7&split=test").value()), "folder:a/b?split=test&limit=7");
}

TEST(Spec, canonical_form_parses_to_itself) {
  for (const std::string spec : {"fashion-mnist?split=train", "fashion-mnist?split=train&classes=0-6&limit=5", "folder:/?split=all&limit=3",
                                 "folder:what?/x?split=calibration", "folder:a?split=test&group=(.*)_&order=number&val=calibration",
                                 "csv:a/b.csv?split=all&root=im ages&names=n.txt&first=1", "idx:d?split=train&labels=x.gz&first=0",
                                 "cifar:d?split=test&labels=coarse", "fashion-mnist?split=test&limit=9&corrupt=blur:3",
                                 "flat:v?split=test&list=l.txt&names=n%26m.txt"})
    EXPECT_EQ(to_string(parse_spec(spec).value()), spec);
}

TEST(Spec, a_regular_expression_may_hold_what_ends_an_option) {
  const auto parsed = parse_spec("folder:a?group=^(?:x|y)(.*?)_&split=test").value();
  EXPECT_EQ(parsed.group, "^(?:x|y)(.*?)_");
  EXPECT_EQ(parsed.path, "a");
  EXPECT_EQ(to_string(parsed), "folder:a?split=test&group=^(%3F:x|y)(.*%3F)_");
  EXPECT_EQ(parse_spec(to_string(parsed)).value().group, parsed.group);
  EXPECT_EQ(parse_spec("folder:a?group=50%25(.)").value().group, "50%(.)");
  EXPECT_EQ(parse_spec("folder:a?group=50%(.)").error().code, ErrorCode::kInvalidArgument);
}

TEST(Spec, the_split_can_be_exchanged) {
  EXPECT_EQ(spec_with_split("folder:pets?limit=9", "test").value(), "folder:pets?split=test&limit=9");
  EXPECT_EQ(spec_with_split("fashion-mnist?split=train", "calibration").value(), "fashion-mnist?split=calibration");
  EXPECT_EQ(spec_with_split("fashion-mnist", "validation").error().code, ErrorCode::kInvalidArgument);
}

TEST(Spec, errors_show_the_grammar_and_an_example) {
  for (const std::string spec : {"",
                                 "mnist",
                                 "folder:",
                                 "Folder:x",
                                 "fashion-mnist?",
                                 "fashion-mnist?split",
                                 "fashion-mnist?split=",
                                 "fashion-mnist?split=dev",
                                 "fashion-mnist?limit=0",
                                 "fashion-mnist?limit=-1",
                                 "fashion-mnist?limit=1e3",
                                 "fashion-mnist?limit=99999999999999999999999",
                                 "fashion-mnist?shuffle=1",
                                 "fashion-mnist?corrupt=fog:1",
                                 "fashion-mnist?corrupt=blur:9",
                                 "fashion-mnist?classes=3",
                                 "fashion-mnist?classes=3-3",
                                 "fashion-mnist?classes=-1-3",
                                 "fashion-mnist?classes=a-b",
                                 "fashion-mnist?classes=0-1&classes=2-3",
                                 "fashion-mnist?group=(.)",
                                 "folder:a?root=b",
                                 "folder:a?group=",
                                 "folder:a?order=random",
                                 "folder:a?val=test",
                                 "csv:",
                                 "csv:a?first=2",
                                 "cifar:a?labels=other",
                                 "flat:a",
                                 "fashion-mnist?split=test&",
                                 "fashion-mnist?split=test&split=train",
                                 "folder:a?b"}) {
    const auto parsed = parse_spec(spec);
    ASSERT_FALSE(parsed.ok()) << spec;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument) << spec;
    EXPECT_NE(parsed.error().message().find("split=train|calibration|test|all&classes=A-B&limit=N"), std::string::npos) << spec;
    EXPECT_NE(parsed.error().message().find("for example"), std::string::npos) << spec;
  }
}

}  // namespace
}  // namespace hedge::data
