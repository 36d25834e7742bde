// The sources as they stand against docs/architecture.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "architecture/rules.h"
#include "core/file.h"

namespace hedge::architecture {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const fs::path kSource = HEDGE_SOURCE_DIR;

struct Source {
  std::string path;  ///< below src/ or include/
  std::string content;
};

std::vector<Source> sources() {
  std::vector<Source> all;
  for (const fs::path& folder : {kSource / "src", kSource / "include"})
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc")) continue;
      all.push_back({fs::relative(entry.path(), folder).generic_string(), read_file(entry.path()).value()});
    }
  return all;
}

Rules rules() {
  auto text = read_file(kSource / "docs" / "architecture.md");
  EXPECT_TRUE(text.ok());
  auto rules = parse_rules(text.value());
  EXPECT_TRUE(rules.ok());
  return std::move(rules).value();
}

TEST(Architecture, the_tables_are_whole_and_without_cycles) {
  const Rules table = rules();
  EXPECT_TRUE(table.rooms.contains("core"));
  EXPECT_THAT(table.rooms.at("core"), IsEmpty());
  EXPECT_THAT(rooms_in_cycles(table), IsEmpty());
  for (const auto& [room, allowed] : table.rooms)
    for (const auto& other : allowed) EXPECT_TRUE(other == "any" || table.rooms.contains(other)) << room << " names " << other;
}

TEST(Architecture, every_include_is_an_edge_of_the_table) {
  const Rules table = rules();
  const auto all = sources();
  EXPECT_GT(all.size(), 20U);
  std::vector<std::string> wrong;
  for (const auto& source : all)
    for (auto& line : check_includes(table, source.path, source.content)) wrong.push_back(std::move(line));
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Architecture, libraries_do_not_print_exit_or_read_the_environment) {
  std::vector<std::string> wrong;
  for (const auto& source : sources()) {
    if (source.path.starts_with("cli/")) continue;
    for (auto& line : check_manners(source.path, source.content)) wrong.push_back(std::move(line));
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(Architecture, every_header_is_guarded) {
  for (const auto& source : sources()) {
    if (!source.path.ends_with(".h")) continue;
    EXPECT_THAT(source.content, HasSubstr("#pragma once")) << source.path;
  }
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  char buffer[4096];
  while (pipe && std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr) text += buffer;
  return text;
}

TEST(Architecture, what_goes_to_devices_and_servers_does_not_link_libtorch) {
  const fs::path bin = fs::path(HEDGE_BINARY_DIR) / "bin";
  std::vector<std::string> missing;
  for (const char* program : {"hedge-edge", "hedge-cloud"}) {
    if (!fs::exists(bin / program)) {
      missing.push_back(program);
      continue;
    }
    const std::string libraries = output_of("ldd '" + (bin / program).string() + "'");
    EXPECT_THAT(libraries, HasSubstr("libc.so")) << program;
    EXPECT_THAT(libraries, Not(HasSubstr("libtorch"))) << program;
    EXPECT_THAT(libraries, Not(HasSubstr("libc10"))) << program;
  }
  if (!missing.empty()) GTEST_SKIP() << "not built here: " << missing.front();
}

}  // namespace
}  // namespace hedge::architecture
