#include "evaluate/matching/pair_picture.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/format.h"
#include "io/jpeg_writer.h"

namespace asap::evaluate {
namespace {

constexpr float kGap = 20;  // pixels between the images
constexpr const char* kRight = "#0072b2";
constexpr const char* kWrong = "#d55e00";
constexpr const char* kWithoutTruth = "#888888";

const char* line_colour(std::span<const std::int32_t> truth, std::size_t keypoint,
                        std::int32_t partner) {
  if (truth.empty() || truth[keypoint] == data::kAmbiguous) return kWithoutTruth;
  return truth[keypoint] == partner ? kRight : kWrong;
}

std::string number(float value) { return base::format_fixed(value, 1); }

std::string frame(float x, const data::KeypointView& view) {
  return "<rect x=\"" + number(x) + "\" y=\"0\" width=\"" + number(view.width) + "\" height=\"" +
         number(view.height) + "\" fill=\"#f4f4f4\" stroke=\"#bbbbbb\"/>\n";
}

std::string photograph(float x, const data::KeypointView& view, const data::Photograph& image) {
  const auto file = io::encode_grey_jpeg(image.pixels, image.width, image.height);
  return "<image x=\"" + number(x) + "\" y=\"0\" width=\"" + number(view.width) + "\" height=\"" +
         number(view.height) + "\" preserveAspectRatio=\"none\" href=\"data:image/jpeg;base64," +
         base::base64(file) + "\"/>\n";
}

std::string dots(float x, const data::KeypointView& view) {
  std::string text;
  for (std::int64_t i = 0; i < view.keypoints.rows; ++i)
    text += "<circle cx=\"" + number(x + view.keypoints(i, 0)) + "\" cy=\"" +
            number(view.keypoints(i, 1)) +
            "\" r=\"1.5\" fill=\"#444444\" stroke=\"#ffffff\" stroke-width=\"0.5\"/>\n";
  return text;
}

}  // namespace

std::string pair_picture(const data::KeypointPairs& pairs, std::int64_t pair,
                         const infer::Matches& matches) {
  const std::array<data::KeypointView, 2> views{pairs.view(pair, 0), pairs.view(pair, 1)};
  const float right = views[0].width + kGap;
  std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " +
                     number(right + views[1].width) + " " +
                     number(std::max(views[0].height, views[1].height)) + "\">\n";
  for (const int e : {0, 1}) {
    const float x = e == 0 ? 0 : right;
    text += frame(x, views[e]);
    if (const auto image = pairs.photograph(pair, e)) text += photograph(x, views[e], *image);
    text += dots(x, views[e]);
  }
  for (std::size_t i = 0; i < matches.partners.size(); ++i) {
    const std::int32_t partner = matches.partners[i];
    if (partner < 0) continue;
    const auto from = views[0].keypoints.row(static_cast<std::int64_t>(i));
    const auto to = views[1].keypoints.row(partner);
    text += "<line x1=\"" + number(from[0]) + "\" y1=\"" + number(from[1]) + "\" x2=\"" +
            number(right + to[0]) + "\" y2=\"" + number(to[1]) + "\" stroke=\"" +
            line_colour(views[0].matches, i, partner) + "\" stroke-width=\"0.8\"/>\n";
  }
  return text + "</svg>\n";
}

}  // namespace asap::evaluate
