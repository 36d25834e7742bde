#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <regex>
#include <string>
#include <string_view>

#include "core/file.h"
#include "eval/report/html.h"
#include "eval/report_fixture.h"

namespace hedge::eval {
namespace {

constexpr const char* kHostile = "</script><img src=x onerror=alert(1)><!-- & \xE2\x80\xA8 {{data}}";

std::string render(const Json& report) {
  const auto page = render_html(report);
  EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().message());
  return page.ok() ? *page : std::string();
}

std::size_t count_of(std::string_view text, std::string_view needle) {
  std::size_t found = 0;
  for (std::size_t at = text.find(needle); at != std::string_view::npos; at = text.find(needle, at + needle.size())) ++found;
  return found;
}

/// What stands between the tags of the data block.
std::string data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"report-data\">";
  const std::size_t from = page.find(open);
  if (from == std::string::npos) return "";
  return page.substr(from + open.size(), page.find("</script>", from) - from - open.size());
}

TEST(ReportHtml, holds_the_report_unchanged_as_data) {
  const Json report = sample_report();
  EXPECT_EQ(Json::parse(data_of(render(report))), report);
}

/// The bytes of unpadded or padded base64.
std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    word = word << 6 | static_cast<std::uint32_t>(digits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>((word >> bits) & 0xFFU));
  }
  return bytes;
}

TEST(ReportHtml, packs_the_explorers_columns_without_losing_a_bit) {
  const Json report = full_report();
  const Json data = Json::parse(data_of(render(report)));
  const auto& scores = data.at("explorer").at("scores");
  EXPECT_EQ(scores.at("type"), "f32");
  const auto bytes = from_base64(scores.at("base64").get<std::string>());
  const auto& expected = report.at("explorer").at("scores");
  ASSERT_EQ(bytes.size(), 4 * expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    float score = 0;
    std::memcpy(&score, bytes.data() + 4 * i, 4);
    ASSERT_EQ(score, expected[i].get<float>()) << i;
  }
  EXPECT_EQ(data.at("explorer").at("labels").at("type"), "u16");
  const auto labels = from_base64(data.at("explorer").at("labels").at("base64").get<std::string>());
  EXPECT_EQ(labels.substr(0, 6), std::string("\0\0\1\0\2\0", 6));
  EXPECT_EQ(data.at("per_class"), report.at("per_class")) << "the rest is as it was";
}

TEST(ReportHtml, refuses_an_explorer_that_would_count_wrongly) {
  const auto where = [](const char* key, const Json& value) {
    Json report = full_report();
    report["explorer"][key] = value;
    const auto page = render_html(report);
    return page.ok() ? std::string("no error") : page.error().where;
  };
  EXPECT_EQ(where("base", Json::array({1, 2})), "report: explorer.base");
  EXPECT_EQ(where("scores", nullptr), "report: explorer.scores");
  EXPECT_EQ(where("labels", "many"), "report: explorer.labels");
  Json scores = full_report()["explorer"]["scores"];
  std::swap(scores[100], scores[500]);
  EXPECT_EQ(where("scores", scores), "report: explorer.scores[101]");
}

TEST(ReportHtml, fills_every_placeholder_and_is_of_a_sane_size) {
  const std::string page = render(sample_report());
  EXPECT_EQ(page.find("{{title}}"), std::string::npos);
  EXPECT_EQ(page.find("_script}}"), std::string::npos);
  EXPECT_NE(page.find("<title>Fashion-MNIST on a small edge</title>"), std::string::npos);
  EXPECT_NE(page.find("A hybrid is worth it here."), std::string::npos);
  EXPECT_GT(page.size(), 150'000U) << "the plotting library is missing";
  EXPECT_LT(page.size(), 3'000'000U);
}

TEST(ReportHtml, embeds_its_files_byte_for_byte) {
  const std::string page = render(sample_report());
  for (const char* name : {"report.css", "dom.js", "charts.js", "sections.js", "judging.js", "plan.js", "explorer.js", "report.js"}) {
    const auto content = read_file(std::string(HEDGE_SOURCE_DIR) + "/src/eval/report/" + name);
    ASSERT_TRUE(content.ok()) << content.error().message();
    EXPECT_NE(page.find(*content), std::string::npos) << name;
  }
  EXPECT_NE(page.find("Released under the MIT License"), std::string::npos) << "Chart.js's notice must stay";
}

TEST(ReportHtml, is_the_same_for_the_same_report) { EXPECT_EQ(render(sample_report()), render(sample_report())); }

TEST(ReportHtml, keeps_hostile_text_out_of_the_markup) {
  Json report = sample_report();
  const std::size_t scripts = count_of(render(report), "</script");
  for (const char* key : {"title", "dataset", "split", "executor", "verdict"}) report[key] = kHostile;
  report["classes"][0] = kHostile;
  report["base"]["name"] = kHostile;
  report["pictures_queried"][0]["label"] = kHostile;
  report["pictures_queried"][0]["png"] = "\" onerror=\"alert(1)";
  report["notes"].push_back(kHostile);
  report["areas"][0]["method"] = kHostile;
  report[kHostile] = 1;
  const std::string page = render(report);

  EXPECT_EQ(count_of(page, "</script"), scripts);
  EXPECT_EQ(page.find("<img src=x"), std::string::npos);
  EXPECT_EQ(page.find("<!-- &"), std::string::npos);
  const std::string data = data_of(page);
  EXPECT_EQ(data.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(data.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(Json::parse(data), report);
  EXPECT_NE(page.find("<title>&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&lt;!-- &amp; \xE2\x80\xA8 {{data}}</title>"),
            std::string::npos)
      << "a placeholder in a title is text, too";
}

TEST(ReportHtml, replaces_bytes_that_are_no_utf8_and_numbers_that_are_not_finite) {
  Json report = sample_report();
  report["title"] = "caf\xE9";
  report["curve"][0]["macs"] = std::numeric_limits<double>::quiet_NaN();
  const std::string page = render(report);
  EXPECT_NE(page.find("<title>caf\xEF\xBF\xBD</title>"), std::string::npos);
  EXPECT_TRUE(Json::parse(data_of(page))["curve"][0]["macs"].is_null());
}

TEST(ReportHtml, loads_nothing_from_outside) {
  const std::string page = render(sample_report());
  const std::regex loads(
      R"re((src|href|action|poster|srcset)\s*=\s*["']?\s*(https?:|//|file:)|@import|url\(\s*["']?\s*(https?:|//)|\b(fetch|importScripts|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\s*\()re");
  std::smatch match;
  EXPECT_FALSE(std::regex_search(page, match, loads)) << match.str();
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("<link"), std::string::npos);
  EXPECT_EQ(page.find("<iframe"), std::string::npos);
}

TEST(ReportHtml, renders_a_report_of_nothing_but_its_schema) {
  const std::string page = render(Json{{"schema", 1}});
  EXPECT_NE(page.find("<title>Hedge report</title>"), std::string::npos);
  EXPECT_NE(page.find("This report holds no verdict."), std::string::npos);
}

TEST(ReportHtml, takes_missing_and_null_and_unknown_fields) {
  const Json report = sample_report();
  for (const auto& [key, value] : report.items()) {
    if (key == "schema") continue;
    Json without = report;
    without.erase(key);
    EXPECT_TRUE(render_html(without).ok()) << key << " missing";
    Json null = report;
    null[key] = nullptr;
    EXPECT_TRUE(render_html(null).ok()) << key << " null";
  }
  Json more = report;
  more["made_by_a_later_version"] = {{"curve", 7}};
  EXPECT_TRUE(render_html(more).ok());
}

TEST(ReportHtml, refuses_what_is_no_report_of_this_schema) {
  const auto code_of = [](const Json& report) {
    const auto page = render_html(report);
    return page.ok() ? static_cast<ErrorCode>(0) : page.error().code;
  };
  EXPECT_EQ(code_of(Json::array()), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(Json("text")), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(Json::object()), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(Json{{"schema", "1"}}), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(Json{{"schema", 0}}), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(Json{{"schema", 1.5}}), ErrorCode::kBadFormat);
  EXPECT_EQ(code_of(Json{{"schema", 2}}), ErrorCode::kUnsupported);
}

struct Misfit {
  const char* pointer;
  Json value;
  const char* where;
};

class ReportMisfit : public testing::TestWithParam<Misfit> {};

TEST_P(ReportMisfit, is_refused_with_its_place) {
  Json report = sample_report();
  report[Json::json_pointer(GetParam().pointer)] = GetParam().value;
  const auto page = render_html(report);
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(page.error().where, std::string("report: ") + GetParam().where);
  EXPECT_FALSE(page.error().expected.empty());
}

INSTANTIATE_TEST_SUITE_P(Fields, ReportMisfit,
                         testing::Values(Misfit{"/title", 7, "title"}, Misfit{"/pictures", "many", "pictures"},
                                         Misfit{"/classes", "one", "classes"}, Misfit{"/classes/2", Json::array(), "classes[2]"},
                                         Misfit{"/base", Json::array(), "base"}, Misfit{"/base/accuracy", 0.9, "base.accuracy"},
                                         Misfit{"/curve", Json::object(), "curve"}, Misfit{"/curve/3", 0.8, "curve[3]"},
                                         Misfit{"/curve/3/hybrid/low", "0.9", "curve[3].hybrid.low"},
                                         Misfit{"/curve/0/margin/sd", true, "curve[0].margin.sd"},
                                         Misfit{"/areas/1/method", 3, "areas[1].method"}, Misfit{"/areas/1/value", "x", "areas[1].value"},
                                         Misfit{"/reliability/base/bins/0/count", "x", "reliability.base.bins[0].count"},
                                         Misfit{"/operating_point/inside", "yes", "operating_point.inside"},
                                         Misfit{"/pictures_queried/0/png", 1, "pictures_queried[0].png"},
                                         Misfit{"/live/p50_ms", "fast", "live.p50_ms"}, Misfit{"/methods", 1, "methods"},
                                         Misfit{"/plan", 1, "plan"}, Misfit{"/choice", "gain", "choice"},
                                         Misfit{"/notes/0", 1, "notes[0]"}));

}  // namespace
}  // namespace hedge::eval
