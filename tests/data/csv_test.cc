#include "data/csv.h"

#include <gtest/gtest.h>

#include "data/internal/table_listing.h"

namespace hedge::data {
namespace {

using Fields = std::vector<std::string>;

std::vector<CsvRow> rows(const std::string& text) {
  auto parsed = parse_csv(text, "t.csv");
  EXPECT_TRUE(parsed.ok()) << parsed.error().message();
  return parsed.ok() ? *std::move(parsed) : std::vector<CsvRow>(3, CsvRow{.line = 0, .fields = Fields(9)});
}

Error problem(const std::string& text) {
  const auto parsed = parse_csv(text, "t.csv");
  EXPECT_FALSE(parsed.ok()) << text;
  return parsed.ok() ? Error{} : parsed.error();
}

TEST(Csv, reads_quotes_line_ends_and_the_byte_order_mark) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto table = rows("\xEF\xBB\xBFpath,label" + end + end + "\"a,b \"\"c\"\".png\" , cat " + end + "\"two" + end + "lines\",dog");
    ASSERT_EQ(table.size(), 3U);
    EXPECT_EQ(table[0].fields, (Fields{"path", "label"}));
    EXPECT_EQ(table[1].fields, (Fields{"a,b \"c\".png", "cat"}));
    EXPECT_EQ(table[1].line, 3U);
    EXPECT_EQ(table[2].fields[1], "dog");
    EXPECT_EQ(table[2].line, 4U);
  }
}

TEST(Csv, semicolons_and_tabs_separate_where_there_is_no_comma) {
  EXPECT_EQ(rows("path;label\na;b")[1].fields, (Fields{"a", "b"}));
  EXPECT_EQ(rows("path\tlabel\na b\tc")[1].fields, (Fields{"a b", "c"}));
  EXPECT_EQ(rows("path,label;x\na,b;c")[1].fields, (Fields{"a", "b;c"}));
}

TEST(Csv, errors_name_the_line) {
  EXPECT_EQ(problem("a,b\n1,2\n3\n").where, "t.csv, line 3");
  EXPECT_EQ(problem("a,b\n1,\"2\n").where, "t.csv, line 2");
  EXPECT_EQ(problem("a,b\n\"1\"x,2\n").where, "t.csv, line 2");
  EXPECT_EQ(problem(std::string("a,b\n1,\0\n", 8)).where, "t.csv, line 2");
  EXPECT_EQ(problem("").code, ErrorCode::kBadData);
  EXPECT_NE(problem("\xFF\xFE"
                    "a")
                .hint.find("UTF-8"),
            std::string::npos);
}

TEST(CsvEntries, finds_the_columns_by_name_in_any_order) {
  const auto entries = internal::read_csv_entries("Group,Label,extra,File\ng1,cat,x,sub\\1.png\n", "t.csv");
  ASSERT_TRUE(entries.ok()) << entries.error().message();
  EXPECT_EQ((*entries)[0].path, "sub/1.png");
  EXPECT_EQ((*entries)[0].label, "cat");
  EXPECT_EQ((*entries)[0].group, "g1");
  EXPECT_TRUE((*entries)[0].split.empty());
}

TEST(CsvEntries, refuses_what_is_not_whole) {
  const auto code = [](const std::string& text) { return internal::read_csv_entries(text, "t.csv").error().code; };
  EXPECT_EQ(code("a.png,cat\nb.png,dog\n"), ErrorCode::kBadFormat) << "no header";
  EXPECT_EQ(code("path,label,class\na,b,c\n"), ErrorCode::kBadFormat) << "two columns of labels";
  EXPECT_EQ(code("path,label\na,\n"), ErrorCode::kBadData);
  EXPECT_EQ(code("path,label,group\na,b,\n"), ErrorCode::kBadData);
  EXPECT_EQ(code("path,label\n"), ErrorCode::kBadData);
  const auto twice = internal::read_csv_entries("path,label\na,b\nc,d\na,d\n", "t.csv");
  EXPECT_EQ(twice.error().where, "t.csv, line 4");
  EXPECT_NE(twice.error().what.find("line 2"), std::string::npos);
}

std::vector<std::string> labels(const std::string& text, const std::vector<std::string>& files) {
  const auto entries = internal::read_flat_entries(text, "list", files);
  EXPECT_TRUE(entries.ok()) << entries.error().message();
  std::vector<std::string> all;
  if (entries.ok())
    for (const auto& entry : *entries) all.push_back(entry.path + "=" + entry.label);
  return all;
}

TEST(FlatEntries, reads_the_lists_in_use) {
  const std::vector<std::string> files = {"ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG"};
  const Fields expected = {files[0] + "=65", files[1] + "=970"};
  EXPECT_EQ(labels("65\n970\n", files), expected) << "a label a line";
  EXPECT_EQ(labels("ILSVRC2012_val_00000001.JPEG 65\r\nILSVRC2012_val_00000002.JPEG 970\r\n", files), expected);
  EXPECT_EQ(labels("val/ILSVRC2012_val_00000001.JPEG\t65\t0\t0\nILSVRC2012_val_00000002\t970\t1\t1\n", files), expected);
  EXPECT_EQ(labels("ImageId,PredictionString\nILSVRC2012_val_00000001,65 85 131 499 499 \nILSVRC2012_val_00000002,970 1 2 3 4\n", files),
            expected);
  EXPECT_EQ(labels("path,label\nILSVRC2012_val_00000001.JPEG,65\nILSVRC2012_val_00000002.JPEG,970\n", files), expected);
}

TEST(FlatEntries, refuses_lists_that_do_not_fit) {
  const std::vector<std::string> files = {"1.png", "2.png"};
  const auto code = [&](const std::string& text) { return internal::read_flat_entries(text, "list", files).error().code; };
  EXPECT_EQ(code("1\n2\n3\n"), ErrorCode::kMismatch);
  EXPECT_EQ(code(""), ErrorCode::kMismatch);
  EXPECT_EQ(code("1.png 0\n9.png 1\n"), ErrorCode::kBadData);
  EXPECT_EQ(code("1.png 0\n1 1\n"), ErrorCode::kBadData) << "one file twice";
  EXPECT_EQ(code("1.png 0\n2.png\n"), ErrorCode::kBadData);
}

}  // namespace
}  // namespace hedge::data
