#include "region/family/folded_function.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

/// The piece that holds w, its start and whether it rises.
struct Piece {
  double start, length;
  bool rises;
};

Piece piece_at(std::span<const double> pieces, double w) {
  double start = 0;
  std::size_t k = 0;
  while (k + 1 < pieces.size() && w >= start + pieces[k]) start += pieces[k++];
  return {start, pieces[k], k % 2 == 0};
}

}  // namespace

double zigzag(std::span<const double> pieces, double w) {
  const Piece piece = piece_at(pieces, w);
  const double across = std::clamp((w - piece.start) / piece.length, 0.0, 1.0);
  return piece.rises ? across : 1 - across;
}

double zigzag_slope(std::span<const double> pieces, double w) {
  const Piece piece = piece_at(pieces, w);
  return (piece.rises ? 1 : -1) / piece.length;
}

void FoldedWindow::basis(double t, std::span<double> basis) const {
  double w = t;
  std::size_t next = 0;
  for (const std::vector<double>& level : pieces) {
    double corner = 0;
    for (std::size_t k = 0; k + 1 < level.size(); ++k) {
      corner += level[k];
      basis[next++] = tent(corner, w);
    }
    w = zigzag(level, w);
  }
}

std::size_t FoldedFunction::window_at(double x) const {
  const auto after = std::upper_bound(nodes.begin() + 1, nodes.end() - 1, x);
  return static_cast<std::size_t>(after - nodes.begin()) - 1;
}

double FoldedFunction::operator()(double x) const {
  const std::size_t j = window_at(x);
  const double t = (x - nodes[j]) / (nodes[j + 1] - nodes[j]);
  std::vector<double> basis(windows[j].scales.size());
  windows[j].basis(t, basis);
  double y = values[j] + t * (values[j + 1] - values[j]);
  for (std::size_t i = 0; i < basis.size(); ++i) y += windows[j].scales[i] * basis[i];
  return y;
}

std::vector<double> smooth_scales(std::span<const double> peaks, double amplitude) {
  std::vector<double> scales;
  double mu = amplitude;
  for (std::size_t i = 0; i + 1 < peaks.size(); ++i) {
    const double product = peaks[i] * (1 - peaks[i]);
    scales.push_back(mu * product * peaks[i + 1]);
    mu *= product;
  }
  return scales;
}

}  // namespace asap::region
