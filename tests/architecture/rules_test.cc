// The checker itself, on sources made up here: it must be able to fail.
#include "architecture/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hedge::architecture {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kTables = R"(
| room | duty | may include |
|---|---|---|
| `core` | small things | |
| `graph` | graphs | core |
| `graph/onnx` | files | core, graph |
| `cli` | all | any |

| library | headers | rooms | in public headers |
|---|---|---|---|
| system | `sys/`, `unistd.h` | any | no |
| json | `nlohmann/` | core | yes |
| onnx | `onnx/` | graph/onnx | no |

| promised header | room |
|---|---|
| `tensor.h`, `result.h` | core |
| `model.h` | graph |
)";

std::vector<std::string> check(const std::string& path, const std::string& content) {
  return check_includes(parse_rules(kTables).value(), path, content);
}

TEST(Rules, are_read_from_the_tables) {
  const auto rules = parse_rules(kTables);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules->rooms.size(), 4U);
  EXPECT_EQ(rules->rooms.at("graph/onnx"), (std::set<std::string>{"core", "graph"}));
  EXPECT_THAT(rules->rooms.at("core"), IsEmpty());
  ASSERT_EQ(rules->vendors.size(), 3U);
  EXPECT_TRUE(rules->vendors[1].in_public_headers);
  EXPECT_FALSE(parse_rules("no table").ok());
}

TEST(Rules, accept_what_the_tables_have) {
  EXPECT_THAT(check("graph/onnx/io.cc",
                    "#include <vector>\n#include <sys/stat.h>\n#include <onnx/onnx_pb.h>\n#include \"core/file.h\"\n"
                    "#include \"graph/graph.h\"\n#include \"graph/onnx/internal/x.h\"\n"),
              IsEmpty());
  EXPECT_THAT(check("core/json.h", "#include <nlohmann/json.hpp>\n"), IsEmpty());
  EXPECT_THAT(check("graph/onnx/internal/x.h", "#include <onnx/onnx_pb.h>\n"), IsEmpty());
  EXPECT_THAT(check("cli/main.cc", "#include \"graph/onnx/io.h\"\n"), IsEmpty());
  EXPECT_THAT(check("cli/commands/train.cc", "#include \"cli/commands/train.h\"\n"), IsEmpty()) << "a folder of a room, not a room";
}

TEST(Rules, refuse_an_edge_that_the_table_does_not_have) {
  EXPECT_THAT(check("core/x.cc", "#include <vector>\n\n  #  include \"graph/graph.h\"\n"),
              ElementsAre(HasSubstr("core/x.cc:3: core may not include graph")));
  EXPECT_THAT(check("graph/x.h", "#include \"graph/onnx/io.h\""), ElementsAre(HasSubstr("graph may not include graph/onnx")));
}

TEST(Rules, refuse_anothers_internal_folder) {
  EXPECT_THAT(check("graph/onnx/io.cc", "#include \"graph/internal/window.h\"\n"), ElementsAre(HasSubstr("graph's own business")));
  EXPECT_THAT(check("cli/main.cc", "#include \"graph/internal/window.h\"\n"), ElementsAre(HasSubstr("graph's own business")));
}

TEST(Rules, refuse_paths_outside_any_room) {
  EXPECT_THAT(check("core/x.cc", "#include \"tensor.h\"\n"), ElementsAre(HasSubstr("in no room")));
  EXPECT_THAT(check("core/x.cc", "#include \"../graph/graph.h\"\n"), ElementsAre(HasSubstr("in no room")));
  EXPECT_THAT(check("core/x.cc", "#include \"core.h\"\n"), ElementsAre(HasSubstr("in no room")));
  EXPECT_THAT(check("kitchen/x.cc", "#include <vector>\n"), ElementsAre(HasSubstr("is no room")));
}

TEST(Rules, take_a_promised_header_as_its_rooms_own) {
  EXPECT_THAT(check("graph/x.cc", "#include \"hedge/tensor.h\"\n#include \"hedge/model.h\"\n"), IsEmpty());
  EXPECT_THAT(check("core/x.cc", "#include \"hedge/model.h\"\n"), ElementsAre(HasSubstr("core may not include graph")));
  EXPECT_THAT(check("hedge/tensor.h", "#include \"graph/graph.h\"\n"), ElementsAre(HasSubstr("core may not include graph")));
  EXPECT_THAT(check("core/x.cc", "#include \"hedge/other.h\"\n"), ElementsAre(HasSubstr("in no room")));
  EXPECT_THAT(check("hedge/model.h", "#include <nlohmann/json.hpp>\n"), ElementsAre(HasSubstr("may not include")));
}

TEST(Rules, keep_vendors_in_their_rooms_and_out_of_public_headers) {
  EXPECT_THAT(check("graph/x.cc", "#include <onnx/onnx_pb.h>\n"), ElementsAre(HasSubstr("graph may not include <onnx/")));
  EXPECT_THAT(check("graph/onnx/io.h", "#include <onnx/onnx_pb.h>\n"), ElementsAre(HasSubstr("in a public header")));
  EXPECT_THAT(check("core/x.cc", "#include <boost/any.hpp>\n#include <curl.h>\n"),
              ElementsAre(HasSubstr("<boost/any.hpp>"), HasSubstr("<curl.h>")));
}

TEST(Rules, find_printing_exiting_and_the_environment) {
  for (const char* line : {"std::cout << 1;", "  printf(\"x\");", "std::fprintf(stderr, \"x\");", "exit(1);", "std::exit(1);",
                           "auto p = ::getenv(\"HOME\");", "std::cerr << \"// no comment\";"})
    EXPECT_THAT(check_manners("a.cc", line), ElementsAre(HasSubstr("a.cc:1:"))) << line;
  for (const char* line :
       {"// std::cout", "const char* text = \"printf(\";", "std::snprintf(b, 2, f);", "scope.exit();", "on_exit(f);", "run(); // exit("})
    EXPECT_THAT(check_manners("a.cc", line), IsEmpty()) << line;
}

TEST(Rules, find_a_cycle_in_the_table) {
  Rules rules;
  rules.rooms = {{"a", {"b"}}, {"b", {"c"}}, {"c", {"a"}}, {"d", {"a"}}, {"e", {"any"}}};
  EXPECT_EQ(rooms_in_cycles(rules), (std::set<std::string>{"a", "b", "c"}));
}

}  // namespace
}  // namespace hedge::architecture
