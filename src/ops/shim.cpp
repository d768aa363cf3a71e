// What libtorch can do in one call and tch 0.22 does not expose: its generator drops functions with an output mask.
//
// Every function catches all exceptions: none may cross into Rust. It returns 0, or 1 with a message that driftscope_free
// frees. `tensors` are borrowed, in the order in which each function names them; `out` receives new tensors that the
// caller owns, null where not wanted, and is written only after everything that can throw.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <tuple>
#include <vector>

namespace {

using Tensors = const at::Tensor *const *;

template <typename Body> int guarded(char **error, Body body) {
    try {
        c10::AutoGradMode no_grad(false);
        body();
        return 0;
    } catch (const std::exception &failure) {
        *error = strdup(failure.what());
    } catch (...) {
        *error = strdup("unknown C++ exception");
    }
    return 1;
}

at::Tensor *handed_over(const at::Tensor &tensor, bool wanted = true) {
    return wanted ? new at::Tensor(tensor) : nullptr;
}

void hand_over(const std::tuple<at::Tensor, at::Tensor, at::Tensor> &made, const bool *want, at::Tensor **out) {
    out[0] = handed_over(std::get<0>(made), want[0]);
    out[1] = handed_over(std::get<1>(made), want[1]);
    out[2] = handed_over(std::get<2>(made), want[2]);
}

// [batch, tokens, features] as [batch, heads, tokens, width]: a view.
at::Tensor split_heads(const at::Tensor &tensor, int64_t heads) {
    return tensor.view({tensor.size(0), tensor.size(1), heads, tensor.size(2) / heads}).transpose(1, 2);
}

// Query, key and value of [batch, tokens, 3 * features] as [batch, heads, tokens, width]: views.
std::vector<at::Tensor> unpack(const at::Tensor &packed, int64_t heads) {
    auto parts = packed.chunk(3, 2);
    for (auto &part : parts) {
        part = part.unflatten(2, {heads, part.size(2) / heads}).transpose(1, 2);
    }
    return parts;
}

} // namespace

extern "C" {

// Gradients of conv2d (no bias, dilation 1, groups 1) for input and weight. tensors: output gradient, input, weight.
int driftscope_conv2d_backward(Tensors tensors, const int64_t *stride, const int64_t *padding, const bool *want,
                               at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const std::vector<int64_t> strides(stride, stride + 2), paddings(padding, padding + 2), ones{1, 1}, zeros{0, 0};
        const auto made =
            at::convolution_backward(*tensors[0], *tensors[1], *tensors[2], std::nullopt, strides, paddings, ones,
                                     /*transposed=*/false, zeros, /*groups=*/1, {want[0], want[1], false});
        out[0] = handed_over(std::get<0>(made), want[0]);
        out[1] = handed_over(std::get<1>(made), want[1]);
    });
}

// Gradients of layer_norm over the last axis for input, weight and bias.
// tensors: output gradient, input, weight, mean, reciprocal deviation.
int driftscope_layer_norm_backward(Tensors tensors, const bool *want, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const auto &weight = *tensors[2];
        // The bias has no part in the gradients; libtorch only asks whether there is one.
        const auto made = at::native_layer_norm_backward(tensors[0]->contiguous(), *tensors[1], weight.sizes(), *tensors[3],
                                                         *tensors[4], weight, weight, {want[0], want[1], want[2]});
        hand_over(made, want, out);
    });
}

// Gradients of batch_norm with batch statistics for input, weight and bias.
// tensors: output gradient, input, weight, mean, reciprocal deviation.
int driftscope_batch_norm_backward(Tensors tensors, const bool *want, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        // With batch statistics epsilon is already in the reciprocal deviation.
        const auto made = at::native_batch_norm_backward(*tensors[0], *tensors[1], *tensors[2], std::nullopt, std::nullopt,
                                                         *tensors[3], *tensors[4], /*train=*/true, /*eps=*/0.0,
                                                         {want[0], want[1], want[2]});
        hand_over(made, want, out);
    });
}

// out: context [batch, tokens, features], logarithm of the softmax denominators (as the device's kernel lays them out).
int driftscope_attention(const at::Tensor *packed, int64_t heads, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const auto parts = unpack(*packed, heads);
        at::Tensor context, log_denominator;
        if (packed->is_cuda()) {
            const auto made = at::_scaled_dot_product_efficient_attention(parts[0], parts[1], parts[2], std::nullopt,
                                                                          /*compute_log_sumexp=*/true);
            std::tie(context, log_denominator) = std::make_tuple(std::get<0>(made), std::get<1>(made));
        } else {
            std::tie(context, log_denominator) =
                at::_scaled_dot_product_flash_attention_for_cpu(parts[0], parts[1], parts[2]);
        }
        context = context.transpose(1, 2).flatten(2);
        out[0] = handed_over(context);
        out[1] = handed_over(log_denominator);
    });
}

// out: gradient for the packed tensor. tensors: output gradient, packed, context, logarithm of the denominators.
int driftscope_attention_backward(Tensors tensors, int64_t heads, at::Tensor **out, char **error) {
    return guarded(error, [&] {
        const auto parts = unpack(*tensors[1], heads);
        const auto gradient = split_heads(tensors[0]->contiguous(), heads);
        const auto context = split_heads(*tensors[2], heads);
        at::Tensor query, key, value;
        if (tensors[1]->is_cuda()) {
            // Without dropout the kernel reads neither seed nor offset.
            const auto unused = at::empty({}, tensors[1]->options().dtype(at::kLong));
            const auto made = at::_scaled_dot_product_efficient_attention_backward(
                gradient, parts[0], parts[1], parts[2], /*attn_bias=*/at::Tensor(), context, *tensors[3], unused, unused,
                /*dropout_p=*/0.0, {true, true, true, false});
            std::tie(query, key, value) = std::make_tuple(std::get<0>(made), std::get<1>(made), std::get<2>(made));
        } else {
            std::tie(query, key, value) = at::_scaled_dot_product_flash_attention_for_cpu_backward(
                gradient, parts[0], parts[1], parts[2], context, *tensors[3], /*dropout_p=*/0.0, /*is_causal=*/false);
        }
        out[0] = handed_over(
            at::stack({query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)}, 2).flatten(2));
    });
}

// tensors: value, gradient, first moment, second moment; all but the gradient are changed in place.
int driftscope_adamw(Tensors tensors, double rate, double beta1, double beta2, double decay, double epsilon, double step,
                     char **error) {
    return guarded(error, [&] {
        const auto steps = at::full({}, step, tensors[0]->options().dtype(at::kFloat));
        at::_fused_adamw_({*tensors[0]}, {*tensors[1]}, {*tensors[2]}, {*tensors[3]}, {}, {steps}, rate, beta1, beta2, decay,
                          epsilon, /*amsgrad=*/false, /*maximize=*/false);
    });
}

void driftscope_free(char *message) { free(message); }
}
