// SPDX-License-Identifier: Apache-2.0

import java.util.Map;
import org.apache.logging.log4j.CloseableThreadContext;
import org.apache.logging.log4j.LogManager;

/** Writes the lines of log4j2 into the files that log4j2.xml names. */
public final class Shop {
    public static void main(String[] arguments) {
        var logger = LogManager.getLogger("shop.db");
        logger.info("started");
        logger.error("failed 1");
        logger.error("failed 2", new RuntimeException("no"));
        logger.error("failed {}", 3);
        // The template of ECS has the context among the members of its own.
        var context = Map.of("order", "7", "level", "debug", "label", "x", "message", "y");
        try (var scope = CloseableThreadContext.putAll(context)) {
            logger.error("failed 4");
        }
        logger.fatal("failed 5");
    }
}
