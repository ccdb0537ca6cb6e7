package io.github.logaggregator.api;

import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.timeout.IdleState;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection to Redis on which something was asked and nothing has come for as long as a command may take; the
 * client then makes a new one. TCP alone would hold on to a connection that leads nowhere for a quarter of an hour, and
 * what is written to it would pile up in memory.
 */
final class SilentConnections implements NettyCustomizer {
    private final Duration timeout;

    SilentConnections(Duration timeout) {
        this.timeout = timeout;
    }

    @Override
    public void afterChannelInitialized(Channel channel) {
        channel.pipeline().addFirst(new ClosesWhenSilent(timeout.toNanos()));
    }

    private static final class ClosesWhenSilent extends IdleStateHandler {
        private final long timeoutNanos;
        private boolean waiting;
        private long waitingSince;

        ClosesWhenSilent(long timeoutNanos) {
            super(timeoutNanos / 4, 0, 0, TimeUnit.NANOSECONDS);
            this.timeoutNanos = timeoutNanos;
        }

        @Override
        public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) throws Exception {
            if (!waiting) {
                waiting = true;
                waitingSince = System.nanoTime();
            }
            super.write(context, message, promise);
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
            waiting = false;
            super.channelRead(context, message);
        }

        @Override
        protected void channelIdle(ChannelHandlerContext context, IdleStateEvent event) {
            if (event.state() == IdleState.READER_IDLE && waiting && System.nanoTime() - waitingSince > timeoutNanos) {
                ChannelFuture unused = context.close();
            }
        }
    }
}
