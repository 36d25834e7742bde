#include <algorithm>
#include <cstdio>

#include "codegen/report.h"

namespace hedge::codegen {
namespace {

constexpr int kLeft = 70, kTop = 30, kHeight = 420, kColumn = 26, kBottom = 60;

/// Text as XML holds it.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return out;
}

/// A buffer's rectangle. Activations are blue, working memory grey.
std::string rectangle(const Buffer& b, double scale) {
  char text[320];
  const double height = std::max(static_cast<double>(b.bytes) * scale, 1.0);
  const double y = kTop + kHeight - static_cast<double>(b.offset) * scale - height;
  std::snprintf(
      text, sizeof text,
      "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\" fill-opacity=\"0.6\" stroke=\"#234\" stroke-width=\"0.5\">",
      kLeft + static_cast<int>(b.first_step) * kColumn, y, static_cast<int>(b.last_step - b.first_step + 1) * kColumn, height,
      b.activation ? "#4a90d9" : "#b0b0b0");
  return std::string(text) + "<title>" + escaped(b.name) + ": " + std::to_string(b.bytes) + " B at " + std::to_string(b.offset) +
         "</title></rect>\n";
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  char head[128];
  std::snprintf(head, sizeof head, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x, y, anchor);
  return head + escaped(text) + "</text>\n";
}

}  // namespace

std::string memory_svg(const Network& network, const Plan& plan) {
  const auto width = kLeft + static_cast<int>(plan.steps.size()) * kColumn + 20;
  const double scale = kHeight / static_cast<double>(std::max<std::int64_t>(plan.arena_bytes, 1));
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) + "\" height=\"" +
                    std::to_string(kTop + kHeight + kBottom) +
                    "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  svg += label(kLeft, 18, "start",
               network.name + ": the arena over time, " + std::to_string(plan.arena_bytes) + " B (activations blue, working memory grey)");
  for (int i = 0; i <= 4; ++i)
    svg += label(kLeft - 6, kTop + kHeight - kHeight * i / 4.0 + 4, "end", std::to_string(plan.arena_bytes * i / 4));
  for (const auto& buffer : plan.buffers) svg += rectangle(buffer, scale);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const auto x = kLeft + static_cast<int>(s) * kColumn;
    svg += label(x + kColumn / 2.0, kTop + kHeight + 16, "middle", std::to_string(s));
  }
  svg += label(kLeft, kTop + kHeight + 40, "start", "step (point at a buffer for its name)");
  return svg + "</svg>\n";
}

}  // namespace hedge::codegen
